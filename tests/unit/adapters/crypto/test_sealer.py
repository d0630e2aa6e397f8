"""Seals: what opens them, and what does not."""

from pathlib import Path

import pytest

from media_nommer.adapters import crypto
from media_nommer.adapters.memory import MemoryKeys
from media_nommer.core.errors import InvalidSetting, SecretUnreadable

pytest.importorskip("cryptography")

KEY, SECRET = bytes(range(32)), b"00112233445566778899aabbccddeeff"
#: What the form before this one made of SECRET with KEY for `job/1`.
OLD = bytes.fromhex(
    "6e6f6d6d65722d7365616c2d313a0099720f7ac36c3205347fdf96c5a8f147ec"
    "7e44205dac15f12d7233aee1b5e6d2e2c18fb5128ae5b36fea610906291ad710"
    "f5da249252ff1e4c86d7"
)


def sealer(*keys: bytes):  # type: ignore[no-untyped-def]
    return crypto.AesSealer(MemoryKeys(*keys))


def key_file(folder: Path, text: str) -> Path:
    path = folder / "key"
    path.write_text(text)
    return path


def test_a_seal_opens_with_the_same_key_for_the_same_thing() -> None:
    sealed = sealer(KEY).seal(SECRET, "job/1")

    assert sealer(KEY).unseal(sealed, "job/1") == SECRET
    assert SECRET not in sealed


@pytest.mark.parametrize(
    ("key", "context", "change"),
    [
        (bytes(32), "job/1", lambda sealed: sealed),
        (KEY, "job/2", lambda sealed: sealed),
        (KEY, "job/1", lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, "job/1", lambda sealed: sealed[:20]),
        (KEY, "job/1", lambda sealed: sealed.replace(b":1:", b":2:")),
        (KEY, "job/1", lambda sealed: sealed.replace(b":1:", b":\xff:")),
        (KEY, "job/1", lambda sealed: sealed.replace(b"seal-2", b"seal-3")),
        (KEY, "job/1", lambda _: b""),
    ],
)
def test_nothing_else_opens_it(key: bytes, context: str, change: object) -> None:
    sealed = sealer(KEY).seal(SECRET, "job/1")

    with pytest.raises(SecretUnreadable):
        sealer(key).unseal(change(sealed), context)  # type: ignore[operator]


def test_a_newer_key_seals_and_what_older_ones_sealed_still_opens() -> None:
    keys = MemoryKeys(KEY)
    rotated = crypto.AesSealer(keys)
    before = rotated.seal(SECRET, "job/1")

    keys.rotate(bytes(32))
    after = rotated.seal(SECRET, "job/1")

    assert rotated.unseal(before, "job/1") == rotated.unseal(after, "job/1") == SECRET
    with pytest.raises(SecretUnreadable):
        sealer(KEY).unseal(after, "job/1")


def test_what_the_form_before_sealed_is_opened_with_the_key_of_a_file(
    tmp_path: Path,
) -> None:
    keys = crypto.FileKey(key_file(tmp_path, KEY.hex()))

    assert crypto.AesSealer(keys).unseal(OLD, "job/1") == SECRET


def test_a_reference_is_of_a_secret_a_context_and_a_key() -> None:
    first = sealer(KEY).reference(SECRET, "job")

    assert first == sealer(KEY).reference(SECRET, "job")
    others = {
        sealer(KEY).reference(SECRET, "other"),
        sealer(KEY).reference(b"another", "job"),
        sealer(bytes(32)).reference(SECRET, "job"),
    }
    assert len(others | {first}) == 4
    assert len(bytes.fromhex(first)) == 16


def test_a_rotation_leaves_references_as_they_are() -> None:
    """A submission that is repeated after it is the same job."""
    keys = MemoryKeys(KEY)
    before = crypto.AesSealer(keys).reference(SECRET, "job")

    keys.rotate(bytes(32))

    assert crypto.AesSealer(keys).reference(SECRET, "job") == before


def test_no_two_seals_are_alike() -> None:
    assert sealer(KEY).seal(SECRET, "job") != sealer(KEY).seal(SECRET, "job")


def test_a_key_never_shows_itself() -> None:
    assert repr(KEY) not in repr(MemoryKeys(KEY).newest())


def test_a_key_is_read_from_a_file_as_openssl_writes_it(tmp_path: Path) -> None:
    path = key_file(tmp_path, f"{KEY.hex()}\n")

    assert crypto.FileKey(path).newest().secret == KEY


@pytest.mark.parametrize("text", ["", "abcd", "no key at all", "00" * 33, "é" * 64])
def test_what_is_no_key_is_refused_and_not_told(tmp_path: Path, text: str) -> None:
    path = key_file(tmp_path, text)

    with pytest.raises(InvalidSetting) as caught:
        crypto.FileKey(path)

    assert caught.value.message.endswith(
        f"{path} holds no key; allowed: 64 hexadecimal digits"
    )


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read: No such file"):
        crypto.FileKey(tmp_path / "key")
