"""The engine as its settings name it, on Amazon's services of this machine."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests import aws_services

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.conf import load_settings
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.jobs import JobState
from media_nommer.core.ports.queue import Delivery
from media_nommer.testing.clock import START
from media_nommer.testing.samples import MINUTE, a_job, a_task
from media_nommer.testing.simpledb import SimpleDbServer
from media_nommer.wiring import open_engine

_numbers = itertools.count(1)


@pytest.fixture
def amazon(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Moto's server, with our SimpleDB beside it."""
    with SimpleDbServer() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SIMPLEDB", server.url)
        yield aws


@pytest.mark.parametrize("kind", ["simpledb", "dynamodb"])
def test_what_is_absent_is_made_and_the_queue_goes_with_the_store(
    tmp_path: Path, amazon: str, kind: str
) -> None:
    store = f"{kind}://wired-{next(_numbers)}"
    said = {"data_dir": tmp_path, "store": store, "work": "s3://bucket/work"}

    for times in (1, 2):
        with open_engine(load_settings(said, environ={})) as engine:
            if times == 1:
                engine.store.add_job(a_job())
                engine.put(a_task())
            kept = engine.store.get_job(a_job().id)
            taken = engine.queue.take(MINUTE, wait=MINUTE) if times == 2 else None

    assert kept.source == a_job().source
    assert isinstance(taken, Delivery)
    assert taken.task_id == a_task().id


def test_a_service_that_is_away_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws_services.settings("http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    said = {"data_dir": tmp_path, "store": "dynamodb://wired", "work": "s3://bucket/work"}

    with (
        pytest.raises(ServiceUnavailable, match="dynamodb"),
        open_engine(load_settings(said, environ={})),
    ):
        pass


@pytest.mark.parametrize(("kept", "expires"), [("10d", True), ("forever", False)])
def test_dynamodb_removes_by_itself_what_feederd_should_have_archived_long_ago(
    tmp_path: Path, amazon: str, kept: str, expires: bool
) -> None:
    table = f"wired-{next(_numbers)}"
    said = {"data_dir": tmp_path, "store": f"dynamodb://{table}", "keep_jobs_for": kept}

    with open_engine(load_settings(said | {"work": "s3://b/w"}, environ={})) as engine:
        job = engine.store.add_job(a_job())
        engine.store.swap_job(job.moved_to(JobState.CANCELED, at=START))

    client = AwsClients().client("dynamodb")
    times = [item.get("expires") for item in client.scan(TableName=table)["Items"]]
    month_late = str(int((START + timedelta(days=40)).timestamp()))
    assert ({"N": month_late} in times) is expires
