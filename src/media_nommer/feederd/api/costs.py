"""The routes for money: what was spent, and what a job would take."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from media_nommer.feederd.api.jobs import Body, Service, answer, body_of
from media_nommer.feederd.api.problems import described
from media_nommer.feederd.cost_views import CostsView, EstimateView
from media_nommer.feederd.costs import MOST_JOBS_A_PAGE

router = APIRouter(prefix="/v1", tags=["costs"])


@router.get("/costs", response_model=CostsView, responses=described(400, 503))
def costs(
    service: Service,
    by: str = "day",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = MOST_JOBS_A_PAGE,
    cursor: str | None = None,
) -> Response:
    """Sum what jobs and nodes cost: by `day`, `tag:NAME`, `preset`, `kind` or `machine`.

    `since` (included) and `until` (not) are times of a job's creation and of a node's end;
    without them it is the last 30 days. With `cursor` not null there are more jobs: ask for
    them with it, and with `since` and `until` of the answer, and add the numbers up.
    """
    page = service.costs.page(by=by, since=since, until=until, limit=limit, cursor=cursor)
    return answer(CostsView.of(page))


@router.post(
    "/estimates",
    response_model=EstimateView,
    responses=described(400, 413, 415, 422, 503),
    openapi_extra=body_of("Recipe"),
)
def estimate(body: Body, service: Service, duration: float | None = None) -> Response:
    """Tell what a job would take and cost; nothing is created.

    `duration` is how many seconds its film lasts, where you know it: the estimate is much
    better then.
    """
    return answer(EstimateView.of(service.estimate(body, film_seconds=duration)))
