"""Who starts while a service is away waits for it, and ends when told to."""

import signal
from pathlib import Path

from tests import aws_services
from tests.acceptance.amazon import served
from tests.acceptance.site import ended_well, site, wait_until
from tests.ports import held_port

RECORDS = {"store": "dynamodb://late"}


def test_a_worker_that_starts_before_its_store_waits_and_joins(tmp_path: Path) -> None:
    with held_port() as port, site(tmp_path, **RECORDS) as place:
        environment = aws_services.settings(f"http://127.0.0.1:{port}")
        worker = place.worker(environment)
        wait_until("it waits", lambda: place.has_logged("service_awaited"), every=0.3)
        assert worker.poll() is None

        with served("tests.aws_services", port):
            wait_until("it has joined", lambda: place.has_logged("node_joined"), every=0.3)
            worker.send_signal(signal.SIGTERM)

            assert ended_well(worker)


def test_a_worker_that_waits_for_its_store_ends_when_told_to(tmp_path: Path) -> None:
    with held_port() as port, site(tmp_path, **RECORDS) as place:
        environment = aws_services.settings(f"http://127.0.0.1:{port}")
        worker = place.worker(environment)
        wait_until("it waits", lambda: place.has_logged("service_awaited"), every=0.3)

        worker.send_signal(signal.SIGTERM)

        assert ended_well(worker)
        assert place.has_logged("node_never_joined")


def test_a_feederd_that_starts_before_its_store_waits_and_answers(tmp_path: Path) -> None:
    with held_port() as port, site(tmp_path, **RECORDS) as place:
        environment = aws_services.settings(f"http://127.0.0.1:{port}")
        feederd = place.feederd_alone(environment)
        wait_until("it waits", lambda: place.has_logged("service_awaited"), every=0.3)

        with served("tests.aws_services", port):
            place.wait_for_answers(feederd)
            feederd.send_signal(signal.SIGTERM)

            assert ended_well(feederd)


def test_a_feederd_that_waits_for_its_store_ends_when_told_to(tmp_path: Path) -> None:
    with held_port() as port, site(tmp_path, **RECORDS) as place:
        environment = aws_services.settings(f"http://127.0.0.1:{port}")
        feederd = place.feederd_alone(environment)
        wait_until("it waits", lambda: place.has_logged("service_awaited"), every=0.3)

        feederd.send_signal(signal.SIGTERM)

        assert ended_well(feederd)
        assert place.has_logged("feederd_never_started")
