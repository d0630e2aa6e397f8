"""Which key a worker encrypts with, and what it says where it cannot."""

from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.core.errors import CipherMissing, SecretUnreadable
from media_nommer.core.ports.cipher import SegmentCipher
from media_nommer.core.recipes.encryption import Encryption
from media_nommer.ec2nommerd.nommers.locking import NO_LOCKS, Locks, WholeLock

KEY = "00112233445566778899aabbccddeeff"
GIVEN = Encryption(scheme="aes-128", key=f"sealed:{'0' * 32}", key_url="https://keys/1")
MADE = Encryption(scheme="aes-128", publish_key=True)


class NoCipher(SegmentCipher):
    @override
    def encrypt(self, path: Path, key: bytes, number: int) -> None:
        raise NotImplementedError


def lock(wanted: Encryption, secret: bytes = KEY.encode()) -> WholeLock:
    found = Locks(NoCipher(), lambda _: secret).whole(wanted)
    assert found is not None
    return found


def test_a_key_that_was_sealed_is_opened() -> None:
    assert lock(GIVEN).key.hex() == KEY


def test_a_key_that_nobody_gave_is_another_every_time() -> None:
    keys = {lock(MADE).key for _ in range(3)}

    assert len(keys) == 3
    assert {len(key) for key in keys} == {16}


def test_what_is_no_key_is_refused_and_not_told() -> None:
    with pytest.raises(SecretUnreadable) as caught:
        lock(GIVEN, b"hunter2")

    assert "hunter2" not in caught.value.message


def test_without_the_part_that_encrypts_it_is_said_how_to_get_it() -> None:
    with pytest.raises(CipherMissing) as caught:
        NO_LOCKS.whole(MADE)

    assert caught.value.advice.startswith("pip install 'media-nommer[drm]'")


@pytest.mark.parametrize("scheme", ["aes-128", "cbcs"])
def test_what_cannot_be_encrypted_is_found_out_before_it_is_encoded(scheme: str) -> None:
    wanted = GIVEN.model_copy(update={"scheme": scheme})

    with pytest.raises(CipherMissing):
        NO_LOCKS.check(wanted)
    with pytest.raises(SecretUnreadable):
        Locks(NoCipher(), lambda _: b"no key", lambda _: None).check(wanted)
    Locks(NoCipher(), lambda _: KEY.encode(), lambda _: None).check(wanted)
    NO_LOCKS.check(None)


def test_nothing_is_locked_that_should_not_be() -> None:
    assert NO_LOCKS.whole(None) is None
