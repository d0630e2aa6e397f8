"""The keys that secrets are sealed with: where they come from is an adapter's matter."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One key; ``id`` tells it from those before it, in letters and digits if at all."""

    id: str
    secret: bytes = field(repr=False)


class SealingKeys(ABC):
    """The newest seals; what older ones have sealed can be opened while they are there.

    Methods may be called from any thread.
    """

    @abstractmethod
    def newest(self) -> SealingKey:
        """Return the key that seals now.

        Raises:
            NoSealingKey: there is none.
            InvalidSetting: there is something else in its place.
            AccessDenied, ServiceUnavailable: it cannot be read, or not now.
        """

    @abstractmethod
    def first(self) -> SealingKey:
        """Return the key that seals are named by, which the next rotation leaves in force.

        Raises:
            NoSealingKey: there is none.
            InvalidSetting: there is something else in its place.
            AccessDenied, ServiceUnavailable: it cannot be read, or not now.
        """

    @abstractmethod
    def named(self, key_id: str) -> SealingKey:
        """Return the key of an id.

        Raises:
            SecretUnreadable: it is not there, or not any more.
            AccessDenied, ServiceUnavailable: it cannot be read, or not now.
        """


def key_of(text: str) -> bytes:
    """Return the key that is written in hexadecimal digits.

    Raises:
        ValueError: they are none; what stood there is not told.
    """
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"is no key; allowed: {2 * KEY_BYTES} hexadecimal digits")
    return secret
