"""The metadata service of EC2 as a node asks it: version 2, and patient with nothing."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from tests.imds import Imds, Instance, serving_imds
from tests.living import eventually

from media_nommer.adapters.aws.metadata import Ec2Surroundings
from media_nommer.core.errors import InvalidSetting, ServiceUnavailable
from media_nommer.core.nodes import Machine, Market, NodeId
from media_nommer.core.ports.surroundings import Identity, Notice, NoticeKind

AT = datetime(2026, 1, 1, 12, 2, tzinfo=UTC)
DOCUMENT = "/latest/dynamic/instance-identity/document"
ACTION = "/latest/meta-data/spot/instance-action"
INSTANCE = Instance(tags={"nommer-node": "n1"})


@pytest.fixture
def imds() -> Iterator[Imds]:
    with serving_imds(INSTANCE) as running:
        yield running


@pytest.fixture
def here(imds: Imds) -> Ec2Surroundings:
    return Ec2Surroundings(imds.endpoint)


def tokens_given(imds: Imds) -> int:
    return imds.asked.count("PUT /latest/api/token")


def test_a_machine_knows_itself_and_the_node_that_it_was_started_for(
    here: Ec2Surroundings,
) -> None:
    assert here.who() == Identity(
        NodeId("n1"),
        Machine(
            name=INSTANCE.id,
            type="c7i.xlarge",
            market=Market.SPOT,
            zone="eu-central-1b",
            started_at=INSTANCE.pending_time,
        ),
    )


def test_a_machine_that_nobody_tagged_is_nobodys() -> None:
    with serving_imds(Instance(market="on-demand")) as imds:
        found = Ec2Surroundings(imds.endpoint).who()

    assert found.node is None
    assert found.machine.market is Market.ON_DEMAND


def test_one_token_serves_many_questions(here: Ec2Surroundings, imds: Imds) -> None:
    here.who()
    here.notice()

    assert tokens_given(imds) == 1


def test_a_token_that_ran_out_is_fetched_anew(here: Ec2Surroundings, imds: Imds) -> None:
    here.who()
    imds.expire_tokens()

    assert here.who().node == "n1"
    assert tokens_given(imds) == 2


def test_a_token_is_not_used_up_to_its_last_second(imds: Imds) -> None:
    now = 0.0
    here = Ec2Surroundings(imds.endpoint, monotonic=lambda: now)
    here.notice()
    now = 6 * 3600 - 59
    here.notice()

    assert tokens_given(imds) == 2


def test_there_is_no_notice_until_there_is_one(here: Ec2Surroundings, imds: Imds) -> None:
    assert here.notice() is None

    imds.rebalance(AT)
    assert here.notice() == Notice(NoticeKind.REBALANCE, AT)

    imds.interrupt(AT + timedelta(minutes=2))
    assert here.notice() == Notice(NoticeKind.RECLAIM, AT + timedelta(minutes=2))

    imds.calm()
    assert here.notice() is None


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_however_the_machine_is_taken_back_it_is(
    here: Ec2Surroundings, imds: Imds, action: str
) -> None:
    imds.interrupt(AT, action=action)

    assert here.notice() == Notice(NoticeKind.RECLAIM, AT)


@pytest.mark.parametrize(
    ("path", "text", "ask"),
    [
        (DOCUMENT, "<html>", Ec2Surroundings.who),
        (DOCUMENT, "[]", Ec2Surroundings.who),
        (DOCUMENT, '{"instanceId": "i-1"}', Ec2Surroundings.who),
        (ACTION, "soon", Ec2Surroundings.notice),
        (ACTION, '{"action": "terminate"}', Ec2Surroundings.notice),
        (ACTION, '{"action": "terminate", "time": "soon"}', Ec2Surroundings.notice),
    ],
)
def test_what_makes_no_sense_is_asked_again_later(
    here: Ec2Surroundings,
    imds: Imds,
    path: str,
    text: str,
    ask: Callable[[Ec2Surroundings], Any],
) -> None:
    imds.odd[path] = text

    with pytest.raises(ServiceUnavailable, match="metadata service gives"):
        ask(here)


def test_a_service_that_hangs_is_given_up_and_asked_again_later(imds: Imds) -> None:
    here = Ec2Surroundings(imds.endpoint, patience=0.5)
    imds.hang()

    with pytest.raises(ServiceUnavailable, match="does not answer"):
        here.notice()
    imds.wake()
    imds.rebalance(AT)

    eventually(lambda: heard(here) is not None)


def heard(here: Ec2Surroundings) -> Notice | None:
    """Return the notice that there is, None as well where no answer came in time."""
    try:
        return here.notice()
    except ServiceUnavailable:
        return None


def test_where_nobody_listens_nobody_answers() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"

        with pytest.raises(ServiceUnavailable, match="does not answer"):
            Ec2Surroundings(endpoint).who()


@pytest.mark.parametrize(
    "endpoint", ["", "169.254.169.254", "https://x/", "http://", "http://h:x"]
)
def test_an_endpoint_that_is_none_is_said(endpoint: str) -> None:
    with pytest.raises(InvalidSetting, match="AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        Ec2Surroundings(endpoint)


def test_an_endpoint_may_have_an_address_of_version_6_and_a_path(imds: Imds) -> None:
    imds.odd["/prefix" + ACTION] = f'{{"action": "stop", "time": "{AT.isoformat()}"}}'

    assert Ec2Surroundings("http://[fd00:ec2::254]") is not None
    with pytest.raises(ServiceUnavailable, match="no token"):
        Ec2Surroundings(f"{imds.endpoint}/prefix/").notice()


def test_the_double_refuses_what_ec2_refuses(imds: Imds) -> None:
    """IMDSv1, a token without its time to live, and one that ran out."""

    def ask(method: str, path: str, **headers: str) -> int:
        place = imds.endpoint.removeprefix("http://")
        connection = HTTPConnection(place, timeout=120)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            return connection.getresponse().status
        finally:
            connection.close()

    assert ask("GET", DOCUMENT) == 401
    assert ask("GET", DOCUMENT, X_aws_ec2_metadata_token="made-up") == 401
    assert ask("PUT", "/latest/api/token") == 400
    too_long = {"X_aws_ec2_metadata_token_ttl_seconds": "21601"}
    assert ask("PUT", "/latest/api/token", **too_long) == 400
