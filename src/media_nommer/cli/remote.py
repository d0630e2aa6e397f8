"""Talking to a running feederd on behalf of a person."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from media_nommer.cli.display import Display, Standing, display_for
from media_nommer.cli.documents import Document
from media_nommer.cli.inputs import Source
from media_nommer.cli.remote_words import (
    describe_job,
    label_of,
    print_logs,
    warning_lines,
)
from media_nommer.cli.reporting import EXIT_FAILED, show_failure
from media_nommer.cli.results import write_text
from media_nommer.cli.tables import show_table
from media_nommer.cli.words import ago_text, count_text, percent_text
from media_nommer.client import FINAL_STATES, JobDocument, NommerClient
from media_nommer.core.errors import BadRequest, Failure, IllegalTransition, JobNotFound

_FULL_ID = 18  # shorter ones are taken for the beginning of one


def submit_all(
    url: str,
    jobs: Sequence[tuple[Source, Document]],
    *,
    key: str | None,
    watch: bool,
    as_json: bool,
) -> int:
    """Submit jobs and print their ids; with ``watch``, return as `nommer watch` does.

    Raises:
        BadRequest: one key was given for several jobs.
    """
    if key is not None and len(jobs) > 1:
        raise BadRequest(
            f"--idempotency-key is for one job, and there are {len(jobs)}",
            advice="Submit them one by one, each with a key of its own.",
        )
    with NommerClient(url) as client:
        ids = []
        for source, document in jobs:
            job = client.submit(document, idempotency_key=key)
            ids.append(job["id"])
            if as_json and not watch:
                _print_json(job)
            elif not as_json:
                typer.echo(f"{job['id']}  {source.label}")
        return _watch(client, ids, as_json=as_json) if watch else 0


def list_jobs(
    url: str,
    *,
    states: Sequence[str],
    tag: str | None,
    preset: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print jobs, newest first."""
    with NommerClient(url) as client:
        found = list(client.all_jobs(states=states, tag=tag, preset=preset, most=limit))
    if as_json:
        _print_json({"jobs": found})
        return
    if not found:
        typer.echo("no jobs")
        return
    now = datetime.now(UTC)
    rows = [
        (
            job["id"],
            job["state"],
            job["phase"] or "",
            percent_text(job["progress"]),
            ago_text(datetime.fromisoformat(job["created_at"]), now),
            label_of(job),
        )
        for job in found
    ]
    show_table(("id", "state", "phase", ">done", ">created", "source"), rows)


def show_job(url: str, job_id: str, *, as_json: bool) -> None:
    """Print one job."""
    with NommerClient(url) as client:
        job = _found(client, job_id)
    if as_json:
        _print_json(job)
    else:
        describe_job(job)
        for line in warning_lines(job):
            typer.echo(line)


def watch_jobs(url: str, job_ids: Sequence[str], *, as_json: bool) -> int:
    """Show progress until every job is final; return 0 if all of them finished."""
    with NommerClient(url) as client:
        ids = [_found(client, job_id)["id"] for job_id in job_ids]
        return _watch(client, ids, as_json=as_json)


def cancel_job(url: str, job_id: str, *, as_json: bool) -> None:
    """Stop a job."""
    with NommerClient(url) as client:
        job = client.cancel(_found(client, job_id)["id"])
    _tell(job, as_json)


def retry_job(url: str, job_id: str, *, whole: bool, as_json: bool) -> None:
    """Run a job that has ended once more."""
    with NommerClient(url) as client:
        full_id = _found(client, job_id)["id"]
        try:
            job = client.retry(full_id, whole=whole)
        except IllegalTransition as error:
            whole_too = f"`nommer retry {full_id} --whole` makes every output anew."
            raise IllegalTransition(
                error.message, advice=whole_too if error.advice else None
            ) from error
    _tell(job, as_json)


def show_logs(url: str, job_id: str, *, as_json: bool) -> None:
    """Print every attempt's log."""
    with NommerClient(url) as client:
        logs = client.logs(_found(client, job_id)["id"])
    if as_json:
        _print_json(logs)
    else:
        print_logs(logs)


def show_report(url: str, job_id: str, file: Path | None, *, as_json: bool) -> None:
    """Print all that is known of a job, or write it into a file."""
    with NommerClient(url) as client:
        report = client.report(_found(client, job_id)["id"])
    text = json.dumps(report, indent=None if as_json else 2)
    if file is None:
        typer.echo(text)
    else:
        write_text(file, f"{text}\n")


def _found(client: NommerClient, job_id: str) -> JobDocument:
    """Return the job with this id, or the only recent one whose id begins so.

    Raises:
        JobNotFound: there is none.
        BadRequest: there are several.
    """
    try:
        return client.job(job_id)
    except JobNotFound:
        if not job_id or len(job_id) >= _FULL_ID:
            raise
        page = client.jobs(limit=200)["jobs"]
        found = [job for job in page if job["id"].startswith(job_id)]
        if not found:
            raise
    if len(found) > 1:
        raise BadRequest(
            f"{count_text(len(found), 'job')} have ids that begin with {job_id}",
            advice="Give more of the id.",
        )
    return found[0]


def _watch(client: NommerClient, ids: Sequence[str], *, as_json: bool) -> int:
    with display_for(len(ids), quiet=as_json) as display:
        ended = [_watch_one(client, job_id, display) for job_id in ids]
    for job in ended:
        if as_json:
            _print_json(job)
        else:
            _tell_end(job)
    return 0 if all(job["state"] == "finished" for job in ended) else EXIT_FAILED


def _watch_one(client: NommerClient, job_id: str, display: Display) -> JobDocument:
    for job in client.watch(job_id):
        if job["state"] in FINAL_STATES:
            break
        phase = job["phase"] or job["state"]
        display.show(
            job_id,
            Standing(label=label_of(job), phase=phase, fraction=job["progress"]),
        )
    display.ended(job_id, label_of(job), job["state"])
    return job


def _tell_end(job: JobDocument) -> None:
    describe_job(job, outputs_only=True)
    for line in warning_lines(job):
        typer.echo(line, err=True)
    failure = job["failure"]
    if failure is not None:
        show_failure(
            Failure(
                code=failure["code"],
                message=failure["message"],
                advice=failure["advice"],
                log_tail=tuple(failure["log_tail"]),
            ),
            about=label_of(job),
        )


def _tell(job: JobDocument, as_json: bool) -> None:
    if as_json:
        _print_json(job)
    else:
        typer.echo(f"{job['id']}  {job['state']}")


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document))
