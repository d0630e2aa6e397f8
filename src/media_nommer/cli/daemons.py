"""The daemons' own commands: `feederd` and `ec2nommerd`."""

from typing import Annotated

import typer

from media_nommer.cli import options
from media_nommer.cli.reporting import GuardedCommand

Store = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default=False,
        help="Where records are kept: sqlite:////PATH, postgresql://…, dynamodb://TABLE or "
        "simpledb://DOMAIN. Default: SQLite in the data directory.",
    ),
]
Queue = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default=False,
        help="Where tasks wait for workers: sqlite:////PATH, postgresql://… or sqs://NAME. "
        "Default: where the store is; beside one on AWS, SQS.",
    ),
]
Work = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default=False,
        help="Folder that feederd and all workers share: file://… or s3://BUCKET/PREFIX. "
        "Default: `work` in the data directory.",
    ),
]
ScratchDir = Annotated[
    str | None,
    typer.Option(
        "--scratch-dir",
        metavar="DIR",
        show_default=False,
        help="Folder of this machine for what is being encoded. Default: `scratch` in the "
        "data directory.",
    ),
]
Ffmpeg = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        help="FFmpeg to use, by path or name. Default: the one that comes with "
        "media-nommer.",
    ),
]

feederd_app = typer.Typer(
    rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
)
ec2nommerd_app = typer.Typer(
    rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
)
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 92}


@feederd_app.command(
    cls=GuardedCommand,
    context_settings=_CONTEXT,
    epilog="Every setting can stand in nommer.toml and in NOMMER_* as well; "
    "`nommer config` shows them all.",
)
def feed(
    host: options.Host = None,
    port: options.Port = None,
    data_dir: options.DataDir = None,
    store: Store = None,
    queue: Queue = None,
    work: Work = None,
    fleet: options.Fleet = None,
    max_nodes: options.MaxNodes = None,
    min_nodes: options.MinNodes = None,
    log_level: options.LogLevel = None,
    config: options.Config = None,
) -> None:
    """Accept jobs over HTTP, keep the fleet of workers, and tidy up."""
    from media_nommer.cli.settings import settings_for
    from media_nommer.daemons.feederd import run_feederd

    settings = settings_for(
        config,
        host=host,
        port=port,
        data_dir=data_dir,
        store=store,
        queue=queue,
        work=work,
        fleet=fleet,
        max_nodes=max_nodes,
        min_nodes=min_nodes,
        log_level=log_level,
    )
    raise typer.Exit(run_feederd(settings))


@ec2nommerd_app.command(
    cls=GuardedCommand,
    context_settings=_CONTEXT,
    epilog="Stop it with SIGTERM: what it works on is finished, or handed to another.",
)
def nom(
    slots: options.Slots = None,
    idle_timeout: options.IdleTimeout = None,
    kept: Annotated[
        bool, typer.Option("--kept", help="Never leave for idleness. Default: off.")
    ] = False,
    data_dir: options.DataDir = None,
    store: Store = None,
    queue: Queue = None,
    work: Work = None,
    scratch_dir: ScratchDir = None,
    ffmpeg: Ffmpeg = None,
    log_level: options.LogLevel = None,
    config: options.Config = None,
) -> None:
    """Take tasks from the queue, encode, and leave when there is nothing left to do."""
    from media_nommer.cli.settings import settings_for
    from media_nommer.daemons.ec2nommerd import run_worker

    settings = settings_for(
        config,
        slots=slots,
        idle_timeout=idle_timeout,
        data_dir=data_dir,
        store=store,
        queue=queue,
        work=work,
        scratch_dir=scratch_dir,
        ffmpeg=ffmpeg,
        log_level=log_level,
    )
    raise typer.Exit(run_worker(settings, kept=kept))


def feederd() -> None:
    """Run feederd with the command line that this process was started with."""
    feederd_app()


def ec2nommerd() -> None:
    """Run ec2nommerd with the command line that this process was started with."""
    ec2nommerd_app()
