"""`nommer aws`: an installation on AWS, from nothing to nothing.

Commands import what they run inside themselves, as everywhere.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from media_nommer.cli import options
from media_nommer.cli.reporting import GuardedGroup

_UP_EXAMPLES = """\b
Examples:
  nommer aws up --dry-run
  nommer aws up --write cloud.toml
  nommer aws up --with-feederd --feederd-from 203.0.113.7/32
"""

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Print what would be done, and stop. Default: off."),
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do it without asking. Default: off.")
]
WithFeederd = Annotated[
    bool,
    typer.Option(
        "--with-feederd",
        help="Have feederd on EC2 as well, on a machine of its own. Default: off.",
    ),
]
FeederdType = Annotated[
    str,
    typer.Option(
        "--feederd-type",
        metavar="TYPE",
        show_default=False,
        help="The instance type of that machine. Default: t4g.small.",
    ),
]
FeederdFrom = Annotated[
    str | None,
    typer.Option(
        "--feederd-from",
        metavar="CIDR",
        show_default=False,
        help="Network that may reach feederd's port on that machine directly, such as "
        "203.0.113.7/32. Default: none; a session of Session Manager leads there.",
    ),
]


class Who(StrEnum):
    """Whose policy is printed."""

    NODE = "node"
    FEEDERD = "feederd"
    SETUP = "setup"


aws_app = typer.Typer(
    cls=GuardedGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@aws_app.callback()
def aws() -> None:
    """Make an encoding cloud on AWS, look after it, take it down."""


@aws_app.command(epilog=_UP_EXAMPLES)
def up(
    dry_run: DryRun = False,
    yes: Yes = False,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FILE",
            show_default=False,
            help="Write the settings for feederd to a new file. Default: print them.",
        ),
    ] = None,
    with_feederd: WithFeederd = False,
    feederd_type: FeederdType = "t4g.small",
    feederd_from: FeederdFrom = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Make all that an encoding cloud needs, and bring it up to date.

    What is done is printed first. A second run finds nothing to do. Nothing that is made
    costs anything while it is idle, but what lies in the bucket, and feederd's machine
    with --with-feederd.
    """
    from media_nommer.cli.aws_setup import feederd_wish, raise_installation
    from media_nommer.cli.settings import settings_for

    raise_installation(
        settings_for(config),
        feederd=feederd_wish(with_feederd, feederd_type, feederd_from),
        dry_run=dry_run,
        yes=yes,
        write=write,
        as_json=as_json,
    )


@aws_app.command()
def down(
    dry_run: DryRun = False,
    yes: Yes = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Do it also while jobs are unfinished. Default: off."),
    ] = False,
    delete_data: Annotated[
        bool,
        typer.Option(
            "--delete-data",
            help="Delete the records of all jobs, and the bucket with all that is in it. "
            "Default: off, they stay.",
        ),
    ] = False,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Remove what `nommer aws up` has made, and end all machines.

    What holds data stays, unless you say otherwise; what was there before stays anyway.
    """
    from media_nommer.cli.aws_setup import lower_installation
    from media_nommer.cli.settings import settings_for

    lower_installation(
        settings_for(config),
        force=force,
        delete_data=delete_data,
        dry_run=dry_run,
        yes=yes,
        as_json=as_json,
    )


@aws_app.command()
def check(config: options.Config = None, as_json: options.Json = False) -> None:
    """Check that all is there, that rights suffice, and quotas too.

    Each line says ok or problem, and what to do about a problem. Exit status: 1 if there
    is one.
    """
    from media_nommer.cli.aws_setup import examine_installation
    from media_nommer.cli.settings import settings_for

    raise typer.Exit(examine_installation(settings_for(config), as_json=as_json))


@aws_app.command()
def image(
    base: Annotated[
        str,
        typer.Option(
            "--base",
            metavar="IMAGE",
            show_default=False,
            help="The image to begin with: debian-12, or the id of one (ami-…). "
            "Default: debian-12.",
        ),
    ] = "debian-12",
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Bake an image from which machines boot into work.

    All that they install is in it. It takes some minutes of one machine, and then the
    price of a snapshot. Set `image` to what it prints, and run `nommer aws up`.
    """
    from media_nommer.cli.aws_setup import bake_images
    from media_nommer.cli.settings import settings_for

    bake_images(settings_for(config), base, as_json=as_json)


@aws_app.command()
def template(
    with_feederd: WithFeederd = False,
    feederd_type: FeederdType = "t4g.small",
    feederd_from: FeederdFrom = None,
    config: options.Config = None,
) -> None:
    """Print what `nommer aws up` makes as a CloudFormation template.

    Deploy it with CAPABILITY_NAMED_IAM, then run `nommer aws up`: it uploads what machines
    install, and finds all else in place.
    """
    from media_nommer.cli.aws_setup import feederd_wish, print_template
    from media_nommer.cli.settings import settings_for

    wish = feederd_wish(with_feederd, feederd_type, feederd_from)
    print_template(settings_for(config), wish)


@aws_app.command()
def policies(
    who: Annotated[
        Who | None,
        typer.Argument(
            metavar="WHO",
            show_default=False,
            help="node, feederd or setup. Default: all three.",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="ID",
            show_default=False,
            help="Number of the AWS account. Default: that of your credentials.",
        ),
    ] = None,
    config: options.Config = None,
) -> None:
    """Print the IAM policies of nodes, of feederd, or of who sets up."""
    from media_nommer.cli.aws_setup import print_policies
    from media_nommer.cli.settings import settings_for

    print_policies(settings_for(config), who, account)
