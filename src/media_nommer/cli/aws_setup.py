"""What the commands of `nommer aws` do: plans printed, questions asked, results shown."""

import ipaddress
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from media_nommer import wiring
from media_nommer.cli.reporting import EXIT_FAILED
from media_nommer.cli.tables import show_table
from media_nommer.conf.machines import operator_settings, settings_text
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import BadRequest, InvalidSetting, SetupFailed
from media_nommer.core.jobs import JobState
from media_nommer.core.ports.store import JobFilter

if TYPE_CHECKING:
    from media_nommer.adapters.aws.setup import Installation, Plan, Reach

_UNFINISHED = JobFilter(states=(JobState.PENDING, JobState.RUNNING))

_HERE = "http://127.0.0.1:8001"
_SESSION = """\
  aws ssm start-session --region {region} --target {machine} \\
    --document-name AWS-StartPortForwardingSession \\
    --parameters '{{"portNumber":["8001"],"localPortNumber":["8001"]}}'
"""


def feederd_wish(
    wanted: bool, machine_type: str, cidr: str | None
) -> wiring.FeederdOnEc2 | None:
    """Return what was said about a machine for feederd.

    Raises:
        BadRequest: nobody, or everybody, is let in by what was said.
    """
    if cidr is not None and not wanted:
        raise BadRequest(
            "--feederd-from is about the machine of feederd",
            advice="Say --with-feederd as well.",
        )
    return wiring.FeederdOnEc2(machine_type, _checked(cidr)) if wanted else None


def raise_installation(
    settings: Settings,
    *,
    feederd: wiring.FeederdOnEc2 | None,
    dry_run: bool,
    yes: bool,
    write: Path | None,
    as_json: bool,
) -> None:
    """Print what makes the installation as it is wanted, and do it."""
    if write is not None and write.exists():
        raise InvalidSetting(
            f"{write} is there already", advice="Name a new file, or remove that one."
        )
    installation = wiring.aws_installation(settings, feederd=feederd)
    plan = installation.plan_up()
    _carry_out(installation, plan, dry_run=dry_run, yes=yes, as_json=as_json)
    said = operator_settings(settings, installation.places)
    if dry_run:
        return
    if write is not None:
        write.write_text(settings_text(said), "utf-8")
    if not as_json:
        _tell_how_to_go_on(installation, said, write)


def lower_installation(
    settings: Settings,
    *,
    force: bool,
    delete_data: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Print what takes the installation down, and do it.

    Raises:
        SetupFailed: jobs are unfinished, and ``force`` was not said.
    """
    installation = wiring.aws_installation(settings)
    plan = installation.plan_down(delete_data=delete_data)
    if not force and not dry_run and plan.to_do:
        _check_idle(settings, installation)
    _carry_out(installation, plan, dry_run=dry_run, yes=yes, as_json=as_json)


def examine_installation(settings: Settings, *, as_json: bool) -> int:
    """Print what is found about the installation; return 1 if there is a problem."""
    from media_nommer.cli.doctor import show_findings

    installation = wiring.aws_installation(settings)
    findings = installation.check(max_nodes=settings.max_nodes)
    return 0 if show_findings(findings, as_json=as_json) else EXIT_FAILED


def bake_images(settings: Settings, base: str, *, as_json: bool) -> None:
    """Bake an image for each architecture, and say how they are used."""
    installation = wiring.aws_installation(settings)
    tell = (lambda _words: None) if as_json else typer.echo
    images = installation.bake(base, tell)
    said = " ".join(images.values())
    if as_json:
        typer.echo(json.dumps({"images": images, "settings": {"image": said}}))
        return
    typer.echo(
        f"\nIn nommer.toml, then `nommer aws up`:\n\n{settings_text({'image': said})}"
    )


def print_template(settings: Settings, feederd: wiring.FeederdOnEc2 | None) -> None:
    """Print the CloudFormation template."""
    installation = wiring.aws_installation(settings, feederd=feederd)
    typer.echo(json.dumps(installation.template(), indent=2))


def print_policies(settings: Settings, who: str | None, account: str | None) -> None:
    """Print the policies of one, or of all by their names."""
    found = wiring.aws_installation(settings).policies(account)
    typer.echo(json.dumps(found[who] if who else found, indent=2))


def _carry_out(
    installation: "Installation", plan: "Plan", *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Print a plan, ask, and do it; JSON tells of it when it is done."""
    if not as_json:
        _show(installation, plan)
    if plan.to_do and not dry_run:
        if not yes and not _agreed(as_json=as_json):
            raise typer.Exit(EXIT_FAILED)
        plan.carry_out(
            lambda step: None if as_json else typer.echo(f"{step.deed} {step.title}")
        )
    if as_json:
        typer.echo(json.dumps(_document(installation, plan, done=not dry_run)))


def _show(installation: "Installation", plan: "Plan") -> None:
    where = f"{installation.site.installation} in {installation.region}"
    typer.echo(f"{where} (account {installation.site.account})\n")
    rows = [
        (step.deed.value, step.part.kind, step.part.name, "; ".join(step.details))
        for step in plan.steps
    ]
    if rows:
        show_table(("do", "what", "name", "why"), rows)
        typer.echo()
    if not plan.to_do:
        typer.echo("There is nothing to do.")


def _agreed(*, as_json: bool) -> bool:
    """Ask whether it shall be done.

    Raises:
        BadRequest: there is nobody to ask.
    """
    if as_json or not sys.stdin.isatty():
        raise BadRequest(
            "nobody is there to be asked whether this shall be done",
            advice="Say --yes to have it done, or --dry-run to look only.",
        )
    return typer.confirm("Do it?")


def _document(installation: "Installation", plan: "Plan", *, done: bool) -> object:
    steps = [
        {
            "do": step.deed,
            "what": step.part.kind,
            "name": step.part.name,
            "why": list(step.details),
        }
        for step in plan.steps
    ]
    reach = installation.reach(wait=True) if installation.feederd and done else None
    return {
        "steps": steps,
        "done": done,
        "settings": dict(installation.places) | {"fleet": "ec2"},
        "feederd": reach and reach.machine,
        "feederd_url": reach and reach.url,
    }


def _tell_how_to_go_on(
    installation: "Installation", said: Mapping[str, object], write: Path | None
) -> None:
    reach = installation.reach(wait=True) if installation.feederd else None
    if reach is not None:
        typer.echo(f"\nfeederd is on {reach.machine}. With this, it is at {_HERE}:\n")
        typer.echo(_SESSION.format(region=installation.region, machine=reach.machine))
        if reach.lets_in:
            typer.echo(_direct_text(reach))
    elif write is not None:
        typer.echo(f"\nThe settings are in {write}: `nommer doctor`, then `feederd`.")
    else:
        typer.echo(f"\nSettings for feederd (nommer.toml):\n\n{settings_text(said)}")


def _direct_text(reach: "Reach") -> str:
    """Return how those who are let in reach feederd, once its machine has installed it."""
    who = ", ".join(reach.lets_in)
    if reach.url is not None:
        return (
            f"For {who} it is there without a session, some minutes after its first boot:\n"
            f"\n  export NOMMER_URL={reach.url}\n"
        )
    if reach.state == "pending":
        return f"EC2 takes its time: `nommer aws check` will say where it is for {who}."
    return (
        f"It has no public address for {who}, since its subnet gives none. Who has a way "
        f"into that network reaches it at {reach.inner_url}."
    )


def _check_idle(settings: Settings, installation: "Installation") -> None:
    """Check that no job is unfinished, where there are records that say so."""
    if not installation.has_records():
        return
    there = settings.model_copy(update=dict(installation.places))
    with wiring.open_engine(there) as engine:
        unfinished = engine.store.list_jobs(_UNFINISHED).jobs
    if unfinished:
        raise SetupFailed(
            f"jobs are unfinished, such as {unfinished[0].id}",
            advice="Wait for them, or cancel them; --force does not care.",
        )


def _checked(cidr: str | None) -> str | None:
    if cidr is None:
        return None
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError as error:
        raise BadRequest(
            f"--feederd-from {cidr} is no network: {error}",
            advice="Write an address and how many of its bits count: 203.0.113.7/32.",
        ) from error
    if not network.prefixlen:
        raise BadRequest(
            "--feederd-from would let everybody in, and feederd asks nobody who they are",
            advice="Name your own network, or leave it out and go through SSM.",
        )
    return str(network)
