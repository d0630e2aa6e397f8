"""Renditions that do not fit together are not published."""

from dataclasses import replace

import pytest
from packing_samples import (
    ENGLISH,
    LARGE,
    SMALL,
    adaptive,
    fragmented,
    picture,
    with_fragment,
)

from media_nommer.core.errors import OutputDamaged
from media_nommer.planning.packaging.checking import check_index, check_renditions
from media_nommer.planning.packaging.package import Piece, Writing, package
from media_nommer.planning.packaging.packed import Packed

PLAN = adaptive(LARGE, SMALL, ENGLISH).adaptive


def check(*made: Packed) -> None:
    assert PLAN is not None
    check_renditions(PLAN, made)


def test_renditions_that_fit_together_pass() -> None:
    check(LARGE, SMALL, ENGLISH)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (with_fragment(SMALL, 1, begins_with_key=False, keys=0), "0 key frames"),
        (with_fragment(SMALL, 1, keys=2), "2 key frames"),
        (with_fragment(SMALL, 1, frames=47), "47 frames from one key frame"),
        (with_fragment(SMALL, 4, frames=23), "has 216 frames, rendition v2 has 215"),
        (with_fragment(SMALL, 4, time=195_000), "part at 8.008 s"),
        (with_fragment(SMALL, 0, time=2_400), "begins 0.100 s after the film"),
        (with_fragment(SMALL, 2, offset=1), "something between its fragments"),
        (with_fragment(SMALL, 2, duration=90_000), "a segment 0 of"),
        (replace(SMALL, file=replace(SMALL.file, index_size=12)), "no index between"),
        (replace(SMALL, file=replace(SMALL.file, size=10)), "goes on after its last"),
        (
            picture(2, 640, 360, fragmented([100] * 4)),
            "has 216 frames, rendition v2 has 192",
        ),
    ],
)
def test_what_does_not_fit_is_named(broken: Packed, words: str) -> None:
    with pytest.raises(OutputDamaged) as caught:
        check(LARGE, broken, ENGLISH)

    assert words in caught.value.message


def test_an_index_that_changed_the_film_is_found() -> None:
    check_index(LARGE.file, replace(LARGE.file, index_offset=736, index_size=64))
    with pytest.raises(OutputDamaged):
        check_index(LARGE.file, with_fragment(LARGE, 0, size=5).file)


@pytest.mark.parametrize("segments", ["ranges", "files"])
def test_manifests_come_last_and_all_that_they_name_before(segments: str) -> None:
    made = (LARGE, SMALL, ENGLISH)

    files = package(adaptive(*made, segments=segments), made)

    names = [file.name for file in files]
    assert names[-2:] == ["film/index.m3u8", "film/index.mpd"]
    first_text = next(n for n, file in enumerate(files) if isinstance(file, Writing))
    assert all(isinstance(file, Piece) for file in files[:first_text])
    assert all(isinstance(file, Writing) for file in files[first_text:])
    assert all("-id" in name for name in names[:-2])
    assert len(set(names)) == len(names)


def test_a_format_alone_has_only_its_own_files() -> None:
    made = (LARGE, ENGLISH)

    names = [
        file.name
        for file in package(adaptive(*made, segments="files", formats=("dash",)), made)
    ]

    assert not [name for name in names if name.endswith(".m3u8")]
    assert names[:4] == [
        "film/v1-720p-id/init.mp4",
        "film/v1-720p-id/00001.m4s",
        "film/v1-720p-id/00002.m4s",
        "film/a1-eng-id/init.mp4",
    ]
    assert names[-1] == "film/index.mpd"
