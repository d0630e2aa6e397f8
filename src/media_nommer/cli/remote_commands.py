"""The commands that talk to a running feederd, as they are typed."""

from pathlib import Path
from typing import Annotated

import typer

from media_nommer.cli import options

_SUBMIT_EXAMPLES = """\b
Examples:
  nommer submit film.mov -o /srv/out --watch
  nommer submit uploads/ -o /srv/out --preset webm --preset thumbnails

\b
Exit status: 0 all accepted (with --watch: finished), 1 something failed, 2 the command is
wrong.
"""
_COSTS_EXAMPLES = """\b
Examples:
  nommer costs
  nommer costs --by tag:show --since 2026-01-01 --until 2026-02-01
"""
_JOBS_EXAMPLES = """\b
Examples:
  nommer jobs --state failed --state abandoned
  nommer jobs --tag show=42 --all --json
"""

State = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        show_default=False,
        help="Only jobs in this state: pending, running, finished, failed, canceled or "
        "abandoned; may be given several times. Default: all.",
    ),
]


def add_remote_commands(app: typer.Typer) -> None:
    """Add every command of this file to ``app``."""
    app.command(epilog=_SUBMIT_EXAMPLES)(submit)
    app.command(epilog=_JOBS_EXAMPLES)(jobs)
    for command in (show, watch, cancel, retry, logs, report):
        app.command()(command)
    app.command(epilog=_COSTS_EXAMPLES)(costs)
    app.command()(nodes)
    app.command("node-log")(node_log)


def submit(
    inputs: options.Inputs = None,
    output: options.OutDir = None,
    preset: options.Presets = None,
    recipe: options.RecipeFile = None,
    name: options.NameTemplate = None,
    if_exists: options.Replace = None,
    recursive: options.Recursive = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key",
            metavar="KEY",
            show_default=False,
            help="Text of yours, 1 to 256 characters: the same text again is the same job, "
            "not another one. Default: none.",
        ),
    ] = None,
    watch_it: Annotated[
        bool,
        typer.Option("--watch", help="Show progress until the jobs end. Default: off."),
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Send jobs to a running feederd, and print their ids."""
    from media_nommer.cli.asking import jobs_for, wishes_of
    from media_nommer.cli.naming import settle_names
    from media_nommer.cli.remote import submit_all
    from media_nommer.core.presets import load_presets

    wishes = wishes_of(
        presets=preset or (),
        recipe=recipe,
        destination=output,
        name=name,
        if_exists=if_exists,
    )
    wanted = jobs_for(inputs or (), wishes, recursive=recursive)
    wanted = settle_names(wanted, load_presets())
    raise typer.Exit(
        submit_all(url, wanted, key=idempotency_key, watch=watch_it, as_json=as_json)
    )


def jobs(
    state: State = None,
    tag: Annotated[
        str | None,
        typer.Option(
            "--tag",
            metavar="NAME=VALUE",
            show_default=False,
            help="Only jobs with this tag. Default: all.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="NAME",
            show_default=False,
            help="Only jobs that use this preset. Default: all.",
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            show_default=False,
            help="At most so many jobs, the newest first. Default: 20.",
        ),
    ] = 20,
    everything: Annotated[
        bool, typer.Option("--all", help="All jobs, however many. Default: off.")
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """List jobs, the newest first."""
    from media_nommer.cli.remote import list_jobs

    list_jobs(
        url,
        states=state or (),
        tag=tag,
        preset=preset,
        limit=None if everything else limit,
        as_json=as_json,
    )


def show(
    job: options.JobIdArgument,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Show one job: how far it is, its outputs, their warnings."""
    from media_nommer.cli.remote import show_job

    show_job(url, job, as_json=as_json)


def watch(
    job: options.JobIdArgument,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Show a job's progress until it ends. Exit status: 0 finished, 1 otherwise.

    Ctrl-C ends the watching, not the job.
    """
    from media_nommer.cli.remote import watch_jobs

    raise typer.Exit(watch_jobs(url, [job], as_json=as_json))


def cancel(
    job: options.JobIdArgument,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Stop a job. Outputs that are in place already stay."""
    from media_nommer.cli.remote import cancel_job

    cancel_job(url, job, as_json=as_json)


def retry(
    job: options.JobIdArgument,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="Make all outputs anew, not only those not in place. Default: off.",
        ),
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Begin a new run of a job that has ended.

    Outputs that are in place stay as they are, unless --whole is given.
    """
    from media_nommer.cli.remote import retry_job

    retry_job(url, job, whole=whole, as_json=as_json)


def logs(
    job: options.JobIdArgument,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Print the commands and logs of a job, attempt by attempt."""
    from media_nommer.cli.remote import show_logs

    show_logs(url, job, as_json=as_json)


def report(
    job: options.JobIdArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            help="File to write it to. Default: standard output.",
        ),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Print all that is known of a job, as JSON.

    With --json it is in one line.
    """
    from media_nommer.cli.remote import show_report

    show_report(url, job, output, as_json=as_json)


def costs(
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DAY",
            show_default=False,
            help="Jobs created, and nodes that ended, from this day or time on, such as "
            "2026-01-31. Default: 30 days ago.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="DAY",
            show_default=False,
            help="Only what was created, or ended, before this day or time. Default: now.",
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHAT",
            show_default=False,
            help="A row for each: day, tag:NAME (a value of that tag), preset, kind (of "
            "node) or machine (type and market). Default: day.",
        ),
    ] = "day",
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Show what jobs and nodes have cost, in US dollars."""
    from media_nommer.cli.costs import show_costs

    show_costs(url, by=by, since=since, until=until, as_json=as_json)


def nodes(
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also those that ended in the last hour, and why. Default: off."
        ),
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """List the workers: what each runs on, and how busy it is."""
    from media_nommer.cli.nodes import list_nodes

    list_nodes(url, gone=everything, as_json=as_json)


def node_log(
    node: Annotated[
        str,
        typer.Argument(
            metavar="ID", show_default=False, help="A node's id, as `nommer nodes` has it."
        ),
    ],
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Print the log of a worker on EC2, also when its machine is gone."""
    from media_nommer.cli.nodes import show_node_log

    show_node_log(url, node, as_json=as_json)
