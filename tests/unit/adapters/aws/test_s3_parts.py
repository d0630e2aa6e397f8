import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.adapters.aws.s3.names import Place, folder_of, place_of
from media_nommer.adapters.aws.s3.sums import Slice, crc_of, encoded, joined
from media_nommer.core.errors import StorageError

_STEPS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="/"),
    min_size=1,
    max_size=20,
).filter(lambda step: step not in {".", ".."})


@given(st.lists(_STEPS, min_size=1, max_size=4))
def test_any_name_is_told_by_its_url_and_read_from_it(steps: list[str]) -> None:
    place = Place("bucket", "/".join(steps))

    assert place_of(place.url) == place
    assert place.url.isascii()


def test_a_folder_is_one_with_or_without_its_slash() -> None:
    assert folder_of("s3://bucket/a/b") == folder_of("s3://bucket/a/b/")
    assert folder_of("s3://bucket") == folder_of("s3://bucket/") == Place("bucket", "")


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_the_sums_of_pieces_join_to_that_of_the_whole(pieces: list[bytes]) -> None:
    whole = zlib.crc32(b"".join(pieces))

    assert joined((zlib.crc32(piece), len(piece)) for piece in pieces) == whole


def test_a_sum_is_written_as_s3_writes_it() -> None:
    assert encoded(zlib.crc32(b"123456789")) == "y/Q5Jg=="


def test_a_slice_is_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(bytes(range(100)))
    with path.open("rb") as file:
        part = Slice(file.fileno(), 10, 20)

        assert part.read() == bytes(range(10, 30))
        assert part.seek(-5, os.SEEK_END) == 15
        assert part.read(3) == bytes(range(25, 28))
        assert part.tell() == 18
        part.seek(0)
        assert crc_of(part) == zlib.crc32(bytes(range(10, 30)))


def test_a_file_that_was_cut_short_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb+") as file:
        file.write(b"short")
        file.flush()

        with pytest.raises(StorageError):
            Slice(file.fileno(), 0, 20).readall()
