"""Faults to order, what is counted, and the server as a process."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from simpledb_client import DOMAIN, client_of, got, put, refused, selected
from tests.living import eventually
from types_boto3_sdb import SimpleDBClient

from media_nommer.testing.simpledb import (
    DROPPED,
    DROPPED_AFTER,
    INTERNAL_ERROR,
    INTERNAL_ERROR_AFTER,
    THROTTLED,
    Fault,
    SimpleDbServer,
    delayed,
)


@pytest.mark.parametrize(
    ("fault", "answer", "left"),
    [
        (THROTTLED, (503, "ServiceUnavailable"), set()),
        (INTERNAL_ERROR, (500, "InternalError"), set()),
        (INTERNAL_ERROR_AFTER, (500, "InternalError"), {("a", "1")}),
    ],
)
def test_an_ordered_error_is_answered_once(
    client: SimpleDBClient,
    server: SimpleDbServer,
    fault: Fault,
    answer: tuple[int, str],
    left: set[tuple[str, str]],
) -> None:
    server.fail_next(fault, action="PutAttributes")

    assert got(client, "it") == set()
    assert refused(lambda: put(client, "it", a="1")) == answer
    assert got(client, "it") == left
    put(client, "it", a="2")


@pytest.mark.parametrize(("fault", "left"), [(DROPPED, 0), (DROPPED_AFTER, 1)])
def test_a_dropped_connection_leaves_the_write_done_or_not_as_ordered(
    client: SimpleDBClient, server: SimpleDbServer, fault: Fault, left: int
) -> None:
    server.fail_next(fault)

    with pytest.raises(ConnectionClosedError):
        put(client, "it", a="1")

    assert len(server.items(DOMAIN)) == left
    assert len(got(client, "it")) == left


def test_a_client_that_tries_again_meets_its_own_write(server: SimpleDbServer) -> None:
    client = client_of(server.url, attempts=3)
    client.create_domain(DomainName=DOMAIN)
    server.fail_next(DROPPED_AFTER, action="PutAttributes")

    answer = refused(
        lambda: client.put_attributes(
            DomainName=DOMAIN,
            ItemName="it",
            Attributes=[{"Name": "rev", "Value": "1"}],
            Expected={"Name": "rev", "Exists": False},
        )
    )
    client.close()

    assert answer == (409, "ConditionalCheckFailed")
    assert server.counts.calls["PutAttributes"] == 2


def test_a_client_that_tries_again_gets_through_a_throttled_call(
    server: SimpleDbServer,
) -> None:
    client = client_of(server.url, attempts=2)
    server.fail_next(THROTTLED)

    client.create_domain(DomainName=DOMAIN)
    client.close()

    assert server.counts.refusals == {"ServiceUnavailable": 1}
    assert server.counts.calls == {"CreateDomain": 2}


def test_a_delayed_call_is_carried_out_though_its_client_left_and_closing_ends_the_delay(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    hurried = client_of(server.url, timeout=0.05)
    server.fail_next(delayed(timedelta(days=1)), action="PutAttributes")

    with pytest.raises(ReadTimeoutError):
        put(hurried, "it", a="1")
    hurried.close()
    eventually(lambda: server.counts.calls["PutAttributes"] == 1)
    server.close()

    assert len(server.items(DOMAIN)) == 1


def test_orders_are_met_one_by_one_and_by_the_calls_they_fit(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    server.fail_next(THROTTLED, action="Select", times=2)
    server.fail_next(INTERNAL_ERROR)

    assert refused(lambda: got(client, "it"))[0] == 500
    everything = f"select * from `{DOMAIN}`"
    assert refused(lambda: selected(client, everything))[0] == 503
    assert got(client, "it") == set()
    assert refused(lambda: selected(client, everything))[0] == 503
    assert selected(client, everything) == [[]]


def test_a_hook_sees_every_call_and_says_what_goes_wrong(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    seen: list[str] = []

    def hook(action: str, parameters: Mapping[str, str]) -> Fault | None:
        seen.append(f"{action} {parameters['ItemName']}")
        return THROTTLED if parameters["ItemName"] == "bad" else None

    server.on_call = hook

    put(client, "good", a="1")
    assert refused(lambda: got(client, "bad"))[0] == 503
    assert seen == ["PutAttributes good", "GetAttributes bad"]


@pytest.mark.parametrize("fault", [{"applied": False}, {"error": "NoSuchCode"}])
def test_a_fault_that_cannot_be_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"SimpleDB|error"):
        Fault(**fault)  # type: ignore[arg-type]


def test_calls_and_box_usage_are_counted(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    server.reset_counts()

    put(client, "it", a="1")
    put(client, "it", b="1", c="2")
    answer = client.get_attributes(DomainName=DOMAIN, ItemName="it")

    assert server.counts.calls == {"PutAttributes": 2, "GetAttributes": 1}
    assert float(answer["ResponseMetadata"]["BoxUsage"]) == pytest.approx(0.0000093382)  # type: ignore[typeddict-item]
    assert server.counts.box_usage == pytest.approx(
        0.0000219909 + 0.0000219923 + 0.0000093382
    )


def test_counts_that_were_taken_do_not_change(
    client: SimpleDBClient, server: SimpleDbServer
) -> None:
    before = server.counts

    put(client, "it", a="1")

    assert before.calls == {"CreateDomain": 1}


def test_the_server_runs_as_a_process_and_says_where(
    capfd: pytest.CaptureFixture[str],
) -> None:
    command = [sys.executable, "-m", "media_nommer.testing.simpledb", "--port", "0"]
    with subprocess.Popen(
        [*command, "--lag", "3600"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        client = client_of(process.stdout.readline().strip())
        client.create_domain(DomainName=DOMAIN)
        put(client, "it", a="1")

        late = got(client, "it", consistent=False)
        now = got(client, "it")
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=120)
        client.close()

    assert (late, now, status) == (set(), {("a", "1")}, 0)
    assert capfd.readouterr().err == ""
