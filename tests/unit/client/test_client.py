import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from media_nommer.client import NommerClient, NoService
from media_nommer.core.errors import (
    BadRequest,
    JobNotFound,
    NommerError,
    ServiceUnavailable,
)

Answer = Callable[[httpx2.Request], httpx2.Response]


def client(answer: Answer, url: str = "http://feeder:8001/") -> NommerClient:
    return NommerClient(url, transport=httpx2.MockTransport(answer))


def job(job_id: str, state: str = "running", progress: float = 0.5) -> dict[str, Any]:
    return {"id": job_id, "state": state, "progress": progress}


def failing(status: int, document: object) -> Answer:
    return lambda _request: httpx2.Response(status, json=document)


def test_a_submission_carries_its_document_and_key() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(201, json=job("1", "pending"))

    made = client(answer).submit({"inputs": []}, idempotency_key="k")

    assert made["id"] == "1"
    assert (seen[0].method, seen[0].url.path) == ("POST", "/v1/jobs")
    assert json.loads(seen[0].content) == {"inputs": []}
    assert seen[0].headers["Idempotency-Key"] == "k"


def test_all_jobs_come_page_after_page_and_no_more_than_asked() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        first = int(request.url.params.get("cursor", "0"))
        limit = int(request.url.params["limit"])
        jobs = [job(str(number)) for number in range(first, min(first + limit, 150))]
        cursor = str(first + limit) if first + limit < 150 else None
        return httpx2.Response(200, json={"jobs": jobs, "cursor": cursor})

    feeder = client(answer)

    assert len(list(feeder.all_jobs())) == 150
    assert len(list(feeder.all_jobs(most=120))) == 120
    assert len(list(feeder.all_jobs(most=3))) == 3


def test_states_are_asked_for_one_by_one() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.params.get_list("state") == ["failed", "abandoned"]
        return httpx2.Response(200, json={"jobs": [], "cursor": None})

    assert client(answer).jobs(states=["failed", "abandoned"])["jobs"] == []


def test_an_id_cannot_lead_to_another_path() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.raw_path == b"/v1/jobs/..%2F..%2Fhealthz"
        return httpx2.Response(200, json=job("1"))

    client(answer).job("../../healthz")


def test_an_error_comes_back_as_what_it_was() -> None:
    said = {"code": "JOB_NOT_FOUND", "message": "no job has this id", "advice": "look"}

    with pytest.raises(JobNotFound) as caught:
        client(failing(404, {"error": said})).job("1")

    assert (caught.value.message, caught.value.advice) == ("no job has this id", "look")


def test_a_code_of_a_newer_feederd_is_kept() -> None:
    said = {"code": "OUT_OF_COOKIES", "message": "no cookies", "log_tail": ["crumbs"]}

    with pytest.raises(NommerError, match="no cookies") as caught:
        client(failing(500, {"error": said})).job("1")

    assert (caught.value.code, caught.value.log_tail) == ("OUT_OF_COOKIES", ("crumbs",))


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, b"<html>bad gateway</html>"), (200, b"hello"), (200, b"[]"), (404, b'"x"')],
)
def test_an_answer_of_something_else_is_no_feederd(status: int, body: bytes) -> None:
    with pytest.raises(NommerError, match="not as a feederd does"):
        client(lambda _request: httpx2.Response(status, content=body)).health()


def test_where_nobody_answers_it_says_how_to_start_one() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(NoService, match="nobody answers at http://feeder:8001") as caught:
        client(answer).health()

    assert "nommer serve" in caught.value.advice


def test_a_url_that_is_none_is_said_to_be() -> None:
    with (
        NommerClient("feeder:8001") as feeder,
        pytest.raises(BadRequest, match="not the URL"),
    ):
        feeder.health()


def test_watching_ends_with_the_job() -> None:
    answers = iter(
        [job("1", progress=0.1), job("1", progress=0.9), job("1", "finished", 1)]
    )
    waits: list[float] = []
    feeder = client(lambda _request: httpx2.Response(200, json=next(answers)))

    seen = [each["progress"] for each in feeder.watch("1", every=0.5, wait=waits.append)]

    assert (seen, waits) == ([0.1, 0.9, 1], [0.5, 0.5])


def test_a_feederd_that_restarts_is_waited_for() -> None:
    answers = iter([job("1"), None, None, job("1", "finished", 1)])

    def answer(request: httpx2.Request) -> httpx2.Response:
        document = next(answers)
        if document is None:
            raise httpx2.ConnectError("refused", request=request)
        return httpx2.Response(200, json=document)

    seen = list(client(answer).watch("1", wait=lambda _: None, clock=lambda: 0.0))

    assert [each["state"] for each in seen] == ["running", "finished"]


def test_a_feederd_that_stays_away_is_not_waited_for_for_ever() -> None:
    now = iter(range(0, 1000, 40))
    answers = iter([job("1")])

    def answer(request: httpx2.Request) -> httpx2.Response:
        document = next(answers, None)
        if document is None:
            raise httpx2.ConnectError("refused", request=request)
        return httpx2.Response(200, json=document)

    with pytest.raises(ServiceUnavailable):
        list(client(answer).watch("1", wait=lambda _: None, clock=lambda: float(next(now))))
