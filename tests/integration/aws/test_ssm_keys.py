"""Sealing keys in SSM: read once, rotated under jobs, told apart from what is none."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sealing_keys import LOOK_AGAIN, SsmKeys
from media_nommer.adapters.crypto import AesSealer
from media_nommer.core.errors import (
    AccessDenied,
    InvalidSetting,
    NoSealingKey,
    SecretUnreadable,
    ServiceUnavailable,
)
from media_nommer.testing.clock import ManualClock

SECRET = b"00112233445566778899aabbccddeeff"
OLD, NEW = "1" * 64, "2" * 64

Put = Callable[..., None]


class Asked(AwsClients):
    """Clients of SSM that know what was asked, and may refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.refusal: str | None = None

    def client(self, service: str, **more: Any) -> Any:
        made = super().client(service, **more)

        class Ssm:
            def get_parameter(_, **request: Any) -> Any:
                self.names.append(request["Name"])
                if self.refusal:
                    error: Any = {"Error": {"Code": self.refusal, "Message": "no"}}
                    raise ClientError(error, "GetParameter")
                return made.get_parameter(**request)

        return Ssm()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"/nommer/{request.node.name[:40]}/sealing-key"


@pytest.fixture
def put(aws: str, name: str) -> Put:
    # One that is made twice because the first one is slow would be another version.
    config = Config(read_timeout=600, retries={"total_max_attempts": 1})

    def put(value: str, kind: str = "SecureString") -> None:
        boto3.client("ssm", config=config).put_parameter(
            Name=name, Value=value, Type=kind, Overwrite=True
        )

    return put


@pytest.fixture
def clients(aws: str) -> Asked:
    return Asked()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(clients: Asked, name: str, clock: ManualClock) -> SsmKeys:
    return SsmKeys(clients, name, clock)


def test_a_key_is_asked_for_once_and_kept_in_memory(
    put: Put, keys: SsmKeys, clients: Asked, name: str
) -> None:
    put(OLD)

    sealed = AesSealer(keys).seal(SECRET, "job")

    assert AesSealer(keys).unseal(sealed, "job") == SECRET
    assert AesSealer(keys).reference(SECRET, "job")
    assert clients.names == [name]


def test_what_feederd_sealed_a_node_opens_by_the_version_that_sealed_it(
    put: Put, keys: SsmKeys, clients: Asked, name: str, clock: ManualClock
) -> None:
    put(OLD)
    sealed = AesSealer(keys).seal(SECRET, "job")
    put(NEW)
    clients.names.clear()

    node = AesSealer(SsmKeys(clients, name, clock))

    assert node.unseal(sealed, "job") == SECRET
    assert clients.names == [f"{name}:1"]


def test_a_rotated_key_seals_before_long_and_names_secrets_as_before(
    put: Put, keys: SsmKeys, clock: ManualClock
) -> None:
    put(OLD)
    sealer = AesSealer(keys)
    reference, _ = sealer.reference(SECRET, "job"), sealer.seal(SECRET, "job")
    put(NEW)
    same = keys.newest().id

    clock.advance(LOOK_AGAIN)

    assert (same, keys.newest().id) == ("1", "2")
    assert keys.newest().secret == bytes.fromhex(NEW)
    assert sealer.reference(SECRET, "job") == reference


def test_a_service_that_is_away_is_no_reason_to_seal_no_more(
    put: Put, keys: SsmKeys, clients: Asked, clock: ManualClock
) -> None:
    put(OLD)
    keys.newest()
    clients.refusal = "ThrottlingException"

    clock.advance(LOOK_AGAIN)

    assert keys.newest().id == "1"
    with pytest.raises(ServiceUnavailable):
        keys.named("7")


def test_where_aws_has_dropped_the_first_version_the_newest_names_secrets(
    put: Put, keys: SsmKeys
) -> None:
    for _ in range(101):
        put(NEW)

    assert keys.first().id == "101"


def test_a_parameter_that_is_not_there_says_what_makes_it(keys: SsmKeys, name: str) -> None:
    with pytest.raises(NoSealingKey, match=name) as caught:
        keys.newest()

    assert "nommer aws up" in caught.value.advice


@pytest.mark.parametrize("key_id", ["2", "", "latest", "1:1", "²"])
def test_a_version_that_is_not_there_opens_nothing(
    put: Put, keys: SsmKeys, key_id: str
) -> None:
    put(OLD)

    with pytest.raises(SecretUnreadable, match="not there any more"):
        keys.named(key_id)


@pytest.mark.parametrize(
    ("value", "kind", "why"),
    [
        (OLD, "String", "is a String, which others can read"),
        ("0123 in words", "SecureString", "is no key"),
        (OLD[:-2], "SecureString", "is no key"),
    ],
)
def test_what_is_no_secret_key_is_refused_and_not_told(
    put: Put, keys: SsmKeys, value: str, kind: str, why: str
) -> None:
    put(value, kind)

    with pytest.raises(InvalidSetting, match=why) as caught:
        keys.newest()

    assert value not in caught.value.message


def test_a_right_that_is_missing_is_named(keys: SsmKeys, clients: Asked) -> None:
    clients.refusal = "AccessDeniedException"

    with pytest.raises(AccessDenied) as caught:
        keys.newest()

    assert "ssm:GetParameter" in caught.value.advice
