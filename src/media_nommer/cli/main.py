"""`nommer`: encode films on this machine, serve jobs, and talk to a running feederd.

Commands import what they run inside themselves, so that ``nommer --help`` answers at once.
"""

import sys
from typing import Annotated

import typer

from media_nommer.cli import options
from media_nommer.cli.aws import aws_app
from media_nommer.cli.remote_commands import add_remote_commands
from media_nommer.cli.reporting import EXIT_INTERRUPTED, GuardedGroup

_ENCODE_EXAMPLES = """\b
Examples:
  nommer encode film.mov
  nommer encode film.mov -o out --preset web --preset thumbnails
  nommer encode holiday/ -o out --recursive --preset webm
  nommer encode film.mov -o out --recipe recipe.yaml --if-exists replace

\b
Exit status: 0 all finished, 1 something failed, 2 the command is wrong, 130 stopped.
"""
_PLAN_EXAMPLES = """\b
Examples:
  nommer plan film.mov --preset web --preset thumbnails
  nommer plan recipe.json film.mov
  nommer plan film.mov --url http://127.0.0.1:8001
"""
_SERVE_EXAMPLES = """\b
Examples:
  nommer serve
  nommer serve --port 9000 --data-dir /srv/nommer --max-nodes 2
"""

app = typer.Typer(
    name="nommer",
    cls=GuardedGroup,
    help="Encode video and sound: here and now, or by a service that you own.",
    epilog="Begin with `nommer encode film.mov`. `nommer COMMAND --help` says more.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 92},
)


def run() -> None:
    """Run the command line that this process was started with."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _print_version(wanted: bool) -> None:
    if wanted:
        from media_nommer import __version__

        typer.echo(f"media-nommer {__version__}")
        raise typer.Exit


@app.callback()
def nommer(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Encode video and sound: here and now, or by a service that you own."""


@app.command(epilog=_ENCODE_EXAMPLES)
def encode(
    inputs: options.Inputs = None,
    output: options.OutDir = None,
    preset: options.Presets = None,
    recipe: options.RecipeFile = None,
    name: options.NameTemplate = None,
    if_exists: options.Replace = None,
    recursive: options.Recursive = False,
    report: options.ReportFile = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Encode films on this machine, and wait until they are done.

    Several INPUTs, and every media file in a folder, are a job each. Nothing but the
    outputs is left behind, also when it fails or is stopped with Ctrl-C.
    """
    from media_nommer.cli.asking import jobs_for, wishes_of
    from media_nommer.cli.documents import out_folder
    from media_nommer.cli.local_run import run_locally
    from media_nommer.cli.naming import settle_names
    from media_nommer.cli.settings import settings_for
    from media_nommer.core.presets import load_presets

    wishes = wishes_of(
        presets=preset or (),
        recipe=recipe,
        destination=output,
        name=name,
        if_exists=if_exists,
    )
    jobs = jobs_for(inputs or (), wishes, recursive=recursive)
    jobs = settle_names(jobs, load_presets())
    settings = settings_for(config)
    folder = out_folder(wishes)
    raise typer.Exit(run_locally(jobs, settings, folder, report=report, as_json=as_json))


@app.command(epilog=_SERVE_EXAMPLES)
def serve(
    host: options.Host = None,
    port: options.Port = None,
    data_dir: options.DataDir = None,
    max_nodes: options.MaxNodes = None,
    min_nodes: options.MinNodes = None,
    config: options.Config = None,
) -> None:
    """Accept jobs over HTTP, and encode them on this machine.

    Stop it with Ctrl-C: jobs that are not done go on when it is started again.
    """
    from media_nommer.cli.settings import settings_for
    from media_nommer.daemons.feederd import run_feederd

    settings = settings_for(
        config,
        host=host,
        port=port,
        data_dir=data_dir,
        max_nodes=max_nodes,
        min_nodes=min_nodes,
        fleet="local",
    )
    raise typer.Exit(run_feederd(settings, announce=typer.echo))


@app.command(epilog=_PLAN_EXAMPLES)
def plan(
    inputs: options.LocalInputs = None,
    output: options.OutDir = None,
    preset: options.Presets = None,
    recipe: options.RecipeFile = None,
    name: options.NameTemplate = None,
    if_exists: options.Replace = None,
    recursive: options.Recursive = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            show_default=False,
            help="A feederd to ask for the estimate: it knows how long past jobs took. "
            "Default: none; a table of usual speeds serves instead.",
        ),
    ] = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Show what a job would do and take: tasks, commands, time, costs.

    Nothing is encoded or created. A first INPUT that ends in .yaml or .json is the
    recipe; else what is typed after `nommer encode` will do.
    """
    from media_nommer.cli.asking import jobs_for, recipe_among, wishes_of
    from media_nommer.cli.naming import settle_names
    from media_nommer.cli.planning import show_plans
    from media_nommer.cli.settings import settings_for
    from media_nommer.core.presets import load_presets

    recipe, films = recipe_among(inputs or (), recipe)
    wishes = wishes_of(
        presets=preset or (),
        recipe=recipe,
        destination=output,
        name=name,
        if_exists=if_exists,
    )
    jobs = jobs_for(films, wishes, recursive=recursive)
    jobs = settle_names(jobs, load_presets())
    show_plans(jobs, settings_for(config), url=url, as_json=as_json)


add_remote_commands(app)
app.add_typer(aws_app, name="aws")


@app.command()
def presets(as_json: options.Json = False) -> None:
    """List the presets, and what each of them makes."""
    from media_nommer.cli.looking import show_presets

    show_presets(as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of recipe files, for editors."""
    from media_nommer.cli.looking import show_schema

    show_schema()


@app.command()
def probe(
    file: Annotated[
        str, typer.Argument(metavar="FILE", show_default=False, help="A media file.")
    ],
    as_json: options.Json = False,
) -> None:
    """Show what a media file holds: its container and every stream."""
    from media_nommer.cli.looking import show_media

    show_media(file, as_json=as_json)


@app.command()
def doctor(
    config: options.Config = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Check that all that is needed here is there, and works.

    Each line says ok or problem, and what to do about a problem. Exit status: 1 if there
    is one.
    """
    from media_nommer.cli.doctor import examine
    from media_nommer.cli.settings import settings_for

    raise typer.Exit(examine(settings_for(config, data_dir=data_dir), as_json=as_json))


@app.command(name="config")
def show_config(
    config: options.Config = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Show every setting in force, and where its value came from."""
    from media_nommer.cli import looking
    from media_nommer.cli.settings import settings_for

    looking.show_config(settings_for(config, data_dir=data_dir), as_json=as_json)


@app.command()
def version() -> None:
    """Print the version."""
    _print_version(True)
