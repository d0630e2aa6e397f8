"""The routes for jobs."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel

from media_nommer.core.jobs import Job
from media_nommer.core.shares import spent_on
from media_nommer.feederd.api.bodies import RetryRequest, json_body, read_retry
from media_nommer.feederd.api.problems import described
from media_nommer.feederd.kept_logs import AttemptLog
from media_nommer.feederd.report_views import JobReport
from media_nommer.feederd.service import JobService
from media_nommer.feederd.views import (
    AttemptView,
    EventView,
    JobEvents,
    JobLinks,
    JobList,
    JobLogs,
    JobView,
    LinkView,
)

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


def get_service(request: Request) -> JobService:
    """Return the service that this app stands before."""
    service: JobService = request.app.state.service
    return service


Service = Annotated[JobService, Depends(get_service)]
Body = Annotated[Any, Depends(json_body)]


def body_of(model: str) -> dict[str, Any]:
    """Return what the API's description says about a body that we read ourselves."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def answer(view: BaseModel, status: int = 200, **headers: str) -> Response:
    """Return a view as an answer, written once and not checked again."""
    return Response(view.model_dump_json(), status, headers, "application/json")


@router.post(
    "",
    status_code=201,
    response_model=JobView,
    responses=described(400, 409, 413, 415, 422, 503),
    openapi_extra=body_of("Recipe"),
)
def submit(
    body: Body,
    service: Service,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Accept a job. The same `Idempotency-Key` again answers with the same job."""
    job = service.submit(body, idempotency_key=idempotency_key)
    return answer(_view(service, job), 201, Location=f"/v1/jobs/{job.id}")


@router.get("", response_model=JobList, responses=described(400, 503))
def list_jobs(
    service: Service,
    state: Annotated[list[str] | None, Query()] = None,
    tag: str | None = None,
    preset: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Response:
    """List the jobs that match all that is given, newest first.

    `state` may be given several times; `tag` is `NAME=VALUE`; `since` (included) and
    `until` (not) are times of creation. A page may be short, or empty, and not the last:
    the last has no cursor.
    """
    page = service.list(
        states=state or [],
        tag=tag,
        preset=preset,
        since=since,
        until=until,
        limit=limit,
        cursor=cursor,
    )
    jobs = tuple(JobView.of(job, service.tasks(job)) for job in page.jobs)
    return answer(JobList(jobs=jobs, cursor=page.cursor))


@router.get("/{job_id}", response_model=JobView, responses=described(404, 503))
def get(job_id: str, service: Service) -> Response:
    """Return a job."""
    return answer(_view(service, service.get(job_id)))


@router.post("/{job_id}/cancel", response_model=JobView, responses=described(404, 503))
def cancel(job_id: str, service: Service) -> Response:
    """End a job now; one that is final already stays as it is."""
    return answer(_view(service, service.cancel(job_id)))


@router.post(
    "/{job_id}/retry",
    response_model=JobView,
    responses=described(400, 404, 409, 503),
    openapi_extra=body_of(RetryRequest.__name__),
)
def retry(job_id: str, body: Body, service: Service) -> Response:
    """Begin a new run of a final job: of the outputs not in place, or of the whole."""
    job = service.retry(job_id, whole=read_retry(body).whole)
    return answer(_view(service, job))


@router.get(
    "/{job_id}/logs",
    response_model=JobLogs,
    responses={200: {"content": {"text/plain": {}}}, **described(404, 503)},
)
def logs(
    job_id: str, service: Service, accept: Annotated[str, Header()] = "application/json"
) -> Response:
    """Return every attempt with its log, as JSON, or as text where that is asked for."""
    found = service.logs(job_id)
    if accept.strip().lower().startswith("text/plain"):
        return PlainTextResponse("\n".join(_as_text(each) for each in found))
    attempts = tuple(AttemptView.of(a.task, a.attempt, a.text) for a in found)
    return answer(JobLogs(job=job_id, attempts=attempts))


@router.get("/{job_id}/report", response_model=JobReport, responses=described(404, 503))
def report(job_id: str, service: Service) -> Response:
    """Return what was found and made, by what commands, in what time and at what cost."""
    return answer(service.report(job_id))


@router.get("/{job_id}/events", response_model=JobEvents, responses=described(404, 503))
def events(job_id: str, service: Service) -> Response:
    """Return what happened to a job."""
    found = service.get(job_id).events
    return answer(JobEvents(job=job_id, events=tuple(map(EventView.of, found))))


@router.get("/{job_id}/links", response_model=JobLinks, responses=described(400, 404, 503))
def links(job_id: str, service: Service, lasting: int = 3600) -> Response:
    """Return a link to each file that is in place, which lasts so many seconds."""
    found = service.links(job_id, timedelta(seconds=lasting))
    files = tuple(
        LinkView(output=each.output, url=each.file.url, link=each.link) for each in found
    )
    return answer(JobLinks(job=job_id, files=files))


def _view(service: JobService, job: Job) -> JobView:
    tasks = service.all_tasks(job)
    spent = spent_on(share for task in tasks for share in task.shares)
    return JobView.of(job, tasks, spent)


def _as_text(found: AttemptLog) -> str:
    task, attempt = found.task, found.attempt
    head = (
        f"=== run {task.run}, {task.key}, attempt {attempt.number} on {attempt.node}, "
        f"{attempt.started_at:%Y-%m-%d %H:%M:%S}Z: {attempt.end}"
    )
    if attempt.failure:
        head += f" ({attempt.failure.code}: {attempt.failure.message})"
    return f"{head}\n{found.text or '(no log is kept)'}"
