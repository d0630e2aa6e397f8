"""Jobs of a running feederd, put into words."""

from datetime import datetime

import typer

from media_nommer.cli.inputs import path_of
from media_nommer.cli.results import length_text, what_text
from media_nommer.cli.tables import show_table
from media_nommer.cli.words import bytes_text, dollars_text, percent_text, took_text
from media_nommer.client import (
    AttemptDocument,
    FailureDocument,
    JobDocument,
    LogsDocument,
    OutputDocument,
)


def label_of(job: JobDocument) -> str:
    """Return what to call a job before people: its source."""
    return place_text(job["source"])


def place_text(url: str) -> str:
    """Return a URL as people write it: a path where it is one."""
    path = path_of(url)
    return url if path is None else str(path)


def describe_job(job: JobDocument, *, outputs_only: bool = False) -> None:
    """Print a job, or only the table of its outputs."""
    if not outputs_only:
        for name, value in _lines(job):
            if value:
                typer.echo(f"{name:<12} {value}")
        typer.echo("")
    rows = [_output_row(output) for output in job["outputs"]]
    show_table(("output", "state", "what", ">length", ">size"), rows)


def warning_lines(job: JobDocument) -> list[str]:
    """Return what the outputs that were made do not come to, a line each."""
    return [
        f"warning: {output['name']}: {warning}"
        for output in job["outputs"]
        for warning in output.get("warnings", ())
    ]


def print_logs(logs: LogsDocument) -> None:
    """Print every attempt and its log; a failed one says why."""
    if not logs["attempts"]:
        typer.echo("no attempt has ended yet")
    for attempt in logs["attempts"]:
        head = f"run {attempt['run']}, task {attempt['task']}, attempt {attempt['number']}"
        took = _between(attempt["started_at"], attempt["ended_at"])
        where = attempt["node"] + _paid_text(attempt)
        typer.echo(f"== {head}: {attempt['end']} after {took}, on {where}")
        if attempt["failure"]:
            typer.echo(_failure_text(attempt["failure"]))
        typer.echo(attempt["log"] or "no log is kept")


def _lines(job: JobDocument) -> list[tuple[str, str]]:
    state = " ".join(part for part in (job["state"], job["phase"]) if part)
    if job["state"] == "running":
        state += f", {percent_text(job['progress'])}"
    tags = ", ".join(f"{name}={value}" for name, value in job["tags"].items())
    return [
        ("id", job["id"]),
        ("state", state),
        ("problem", _failure_text(job["failure"]) if job["failure"] else ""),
        ("source", label_of(job)),
        ("destination", place_text(job["destination"] or "")),
        ("run", str(job["run"]) if job["run"] > 1 else ""),
        ("tags", tags),
        ("created", _moment(job["created_at"])),
        ("started", _moment(job["started_at"])),
        ("ended", _ended(job)),
        ("deadline", _moment(job["deadline"])),
        ("cost", _cost_text(job)),
    ]


def _cost_text(job: JobDocument) -> str:
    """Return what a job cost; nothing where no machine has worked on it."""
    seconds = job.get("machine_seconds")
    if not seconds:
        return ""
    known = job["cost"] is not None
    cost = dollars_text(job["cost"] or 0.0) if known else "not known"
    return f"{cost}, for {took_text(seconds)} of machines"


def _paid_text(attempt: AttemptDocument) -> str:
    """Return what an attempt's machine was and cost, as far as that is told."""
    machine, cost = attempt.get("machine"), attempt.get("cost")
    if machine is None or not machine["type"]:
        return ""
    paid = f", {dollars_text(cost)}" if cost is not None else ""
    return f" ({machine['type']} {machine['market']}{paid})"


def _output_row(output: OutputDocument) -> tuple[str, ...]:
    files = output["files"]
    name = place_text(files[0]["url"]) if files else output["name"]
    if len(files) > 1:
        name = f"{name} … ({len(files)} files)"
    facts = output["facts"]
    size = bytes_text(sum(file["size"] for file in files)) if files else ""
    return (name, output["state"], what_text(facts), length_text(facts), size)


def _failure_text(failure: FailureDocument) -> str:
    advice = f" {failure['advice']}" if failure["advice"] else ""
    return f"{failure['message']} ({failure['code']}).{advice}".replace("..", ".")


def _ended(job: JobDocument) -> str:
    if job["finished_at"] is None:
        return ""
    begun = job["started_at"] or job["created_at"]
    return f"{_moment(job['finished_at'])}, after {_between(begun, job['finished_at'])}"


def _between(begin: str, end: str) -> str:
    gone = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
    return took_text(gone.total_seconds())


def _moment(text: str | None) -> str:
    """Return a moment in this machine's time zone."""
    if text is None:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
