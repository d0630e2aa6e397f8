"""Seals: what opens them, and what does not."""

from pathlib import Path

import pytest

from media_nommer.adapters import crypto
from media_nommer.core.errors import InvalidSetting, SecretUnreadable

pytest.importorskip("cryptography")

KEY, SECRET = bytes(range(32)), b"00112233445566778899aabbccddeeff"


def test_a_seal_opens_with_the_same_key_for_the_same_thing() -> None:
    sealed = crypto.AesSealer(KEY).seal(SECRET, "job/1")

    assert crypto.AesSealer(KEY).unseal(sealed, "job/1") == SECRET
    assert SECRET not in sealed


@pytest.mark.parametrize(
    ("key", "context", "change"),
    [
        (bytes(32), "job/1", lambda sealed: sealed),
        (KEY, "job/2", lambda sealed: sealed),
        (KEY, "job/1", lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, "job/1", lambda sealed: sealed[:20]),
        (KEY, "job/1", lambda _: b""),
    ],
)
def test_nothing_else_opens_it(key: bytes, context: str, change: object) -> None:
    sealed = crypto.AesSealer(KEY).seal(SECRET, "job/1")

    with pytest.raises(SecretUnreadable):
        crypto.AesSealer(key).unseal(change(sealed), context)  # type: ignore[operator]


def test_a_reference_is_of_a_secret_a_context_and_a_key() -> None:
    sealer = crypto.AesSealer(KEY)

    first = sealer.reference(SECRET, "job")

    assert first == crypto.AesSealer(KEY).reference(SECRET, "job")
    others = {
        sealer.reference(SECRET, "other"),
        sealer.reference(b"another", "job"),
        crypto.AesSealer(bytes(32)).reference(SECRET, "job"),
    }
    assert len(others | {first}) == 4
    assert len(bytes.fromhex(first)) == 16


def test_no_two_seals_are_alike() -> None:
    sealer = crypto.AesSealer(KEY)

    assert sealer.seal(SECRET, "job") != sealer.seal(SECRET, "job")


def test_a_key_is_read_from_a_file_as_openssl_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY.hex()}\n")

    assert crypto.read_key(path) == KEY


@pytest.mark.parametrize("text", ["", "abcd", "no key at all", "00" * 33])
def test_what_is_no_key_is_refused_and_not_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)

    with pytest.raises(InvalidSetting) as caught:
        crypto.read_key(path)

    assert caught.value.message.endswith(
        f"{path} holds no key; allowed: 64 hexadecimal digits"
    )


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read: No such file"):
        crypto.read_key(tmp_path / "key")
