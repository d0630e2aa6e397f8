"""Options that several commands share, so that they mean the same everywhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from media_nommer.cli.reporting import remember_json

DEFAULT_URL = "http://127.0.0.1:8001"

IfExists = Literal["fail", "replace"]

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        show_default=False,
        help="Films: files, folders of them, or URLs: file://, http(s)://, s3://, gs:// "
        "or az://.",
    ),
]
LocalInputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        show_default=False,
        help="Films of this machine: files, folders of them, or file:// URLs.",
    ),
]
OutDir = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        show_default=False,
        help="Folder for the outputs, or its URL: file://, s3://, gs:// or az://. "
        "Default: the current folder.",
    ),
]
Presets = Annotated[
    list[str] | None,
    typer.Option(
        "--preset",
        "-p",
        metavar="NAME",
        show_default=False,
        help="What to make; may be given several times. "
        "`nommer presets` lists them. Default: web.",
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        "-r",
        metavar="FILE",
        show_default=False,
        help="YAML or JSON file that says what to make, instead of a preset. "
        "What is typed wins over what it says. Default: none.",
    ),
]
Replace = Annotated[
    IfExists | None,
    typer.Option(
        "--if-exists",
        show_default=False,
        help="What to do where a file of an output's name exists already: fail, or "
        "replace it. Default: fail.",
    ),
]
NameTemplate = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        show_default=False,
        help="How outputs are called, with {stem}, {preset}, {height}, {width}, {codec}, "
        "{ext} and, for pictures, {number}. Default: what the preset says.",
    ),
]
Recursive = Annotated[
    bool,
    typer.Option(
        "--recursive",
        help="Look into folders within folders as well, and keep them apart at the "
        "destination. Default: off.",
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        show_default=False,
        help="File for all that is known of each job when it is over, as JSON, one line "
        "each. Default: none.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        callback=remember_json,
        help="Print JSON on standard output, and nothing else. Default: off.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        show_default=False,
        help="Settings file. Default: nommer.toml in the current folder, if it is there.",
    ),
]
Url = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="NOMMER_URL",
        metavar="URL",
        show_default=False,
        help=f"Where feederd listens. Default: {DEFAULT_URL}.",
    ),
]
JobIdArgument = Annotated[
    str,
    typer.Argument(metavar="ID", show_default=False, help="A job's id, or its beginning."),
]
Host = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        show_default=False,
        help="Address to listen on. Default: 127.0.0.1, this machine alone.",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        metavar="PORT", show_default=False, help="Port to listen on. Default: 8001."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        show_default=False,
        help="Folder for the database, the work area and the logs. "
        "Default: ~/.local/share/media-nommer.",
    ),
]
MinNodes = Annotated[
    int | None,
    typer.Option(
        "--min-nodes",
        metavar="N",
        show_default=False,
        help="Workers that run also when there is nothing to do. Default: 0.",
    ),
]
MaxNodes = Annotated[
    int | None,
    typer.Option(
        "--max-nodes",
        metavar="N",
        show_default=False,
        help="Most workers that run at once. Default: 1.",
    ),
]
Fleet = Annotated[
    Literal["local", "ec2", "none"] | None,
    typer.Option(
        show_default=False,
        help="Where feederd starts workers: local (on this machine), ec2, or none: you "
        "start them yourself. Default: local.",
    ),
]
Slots = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        show_default=False,
        help="Tasks that this worker does at once. Default: one for every four cores, "
        "and at least one.",
    ),
]
IdleTimeout = Annotated[
    str | None,
    typer.Option(
        "--idle-timeout",
        metavar="TIME",
        show_default=False,
        help="How long to stay without work, such as 90s or 5m. Default: 60s, and 30s "
        "on EC2.",
    ),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"] | None,
    typer.Option(
        "--log-level",
        show_default=False,
        help="Least grave events that are logged. Default: info.",
    ),
]
