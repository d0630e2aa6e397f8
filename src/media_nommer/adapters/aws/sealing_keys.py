"""Sealing keys in AWS's Parameter Store: each version of a SecureString is one.

They are in the memory of those who read them and nowhere else. Whoever may read the
parameter may read all its versions, of which AWS keeps the newest hundred.
"""

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.core.clock import Clock
from media_nommer.core.errors import (
    InvalidSetting,
    NoSealingKey,
    SecretUnreadable,
    ServiceUnavailable,
)
from media_nommer.core.ports.sealing_keys import SealingKey, SealingKeys, key_of

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

#: A key that somebody put in the place of the newest seals after this at the latest.
LOOK_AGAIN = timedelta(minutes=5)

_FIRST = "1"
_SECURE = "SecureString"
_GONE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})


class SsmKeys(SealingKeys):
    """The versions of one parameter, each asked for once."""

    def __init__(self, clients: AwsClients, name: str, clock: Clock) -> None:
        self._clients = clients
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, SealingKey] = {}
        self._newest: SealingKey | None = None
        self._looked_at = 0.0

    @override
    def newest(self) -> SealingKey:
        with self._lock:
            now = self._clock.monotonic()
            if self._newest is None or now - self._looked_at >= LOOK_AGAIN.total_seconds():
                self._newest = self._renewed(self._newest)
                self._looked_at = now
            return self._newest

    @override
    def first(self) -> SealingKey:
        with self._lock:
            found = self._version(_FIRST)
        return found or self.newest()

    @override
    def named(self, key_id: str) -> SealingKey:
        with self._lock:
            found = self._version(key_id) if key_id.isdecimal() else None
        if found is None:
            which = f"version {key_id}" if key_id else "no version"
            raise SecretUnreadable(
                f"a key is sealed with {which} of the parameter {self._name} of SSM, "
                "which is not there any more"
            )
        return found

    def _renewed(self, before: SealingKey | None) -> SealingKey:
        try:
            found = self._read(self._name)
        except ServiceUnavailable:
            if before is None:
                raise
            return before
        if found is None:
            raise NoSealingKey(
                f"there is no parameter {self._name} in SSM to take the sealing key from",
                advice="Run `nommer aws up`, which makes it.",
            )
        return found

    def _version(self, number: str) -> SealingKey | None:
        return self._known.get(number) or self._read(f"{self._name}:{number}")

    def _read(self, name: str) -> SealingKey | None:
        """Return a version, the newest where none is named; None where there is none."""
        ssm: SSMClient = self._clients.client("ssm")
        with answering("ssm"):
            try:
                found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
            except ClientError as error:
                if code_of(error) not in _GONE:
                    raise
                return None
        key = SealingKey(str(found["Version"]), self._secret(found))
        self._known[key.id] = key
        return key

    def _secret(self, found: Any) -> bytes:
        what = f"sealing_key: the parameter {self._name} of SSM"
        if found["Type"] != _SECURE:
            raise InvalidSetting(
                f"{what} is a {found['Type']}, which others can read; allowed: {_SECURE}",
                advice="Remove it, and have `nommer aws up` make one.",
            )
        try:
            return key_of(found["Value"])
        except ValueError as error:
            raise InvalidSetting(f"{what} {error}") from None
