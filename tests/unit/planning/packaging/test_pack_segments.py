"""Segments of fragments, their bit rates, and the names of codecs."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing_samples import AVC, ESDS, fragmented, sound_file

from media_nommer.core.errors import OutputDamaged
from media_nommer.planning.packaging.codec_names import codec_name
from media_nommer.planning.packaging.languages import language_tag
from media_nommer.planning.packaging.names import publication_id
from media_nommer.planning.packaging.segments import (
    Segment,
    length_of,
    mean_bits,
    peak_bits,
    segments_of,
)


def run(*parts: tuple[float, int]) -> list[Segment]:
    """Return segments of these seconds and bytes."""
    return [Segment(Fraction(0), Fraction(str(s)), 0, size) for s, size in parts]


@settings(deadline=None)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=60), st.integers(1, 5))
def test_segments_hold_every_byte_and_every_moment_once(
    sizes: list[int], groups: int
) -> None:
    file = fragmented(sizes)

    parts = segments_of(file, groups * 2.002)

    assert sum(part.size for part in parts) == sum(sizes)
    assert parts[0].offset == file.fragments[0].offset
    ends = [part.start + part.duration for part in parts]
    assert ends == [*(part.start for part in parts[1:]), length_of(file)]
    assert all(p.duration == Fraction(groups * 2002, 1000) for p in parts[:-1])


@settings(deadline=None)
@given(st.integers(1, 2000))
def test_sounds_stay_beside_pictures_however_long_a_film_is(count: int) -> None:
    parts = segments_of(sound_file([100] * count), 6.006)

    for number, part in enumerate(parts):
        assert 0 <= float(part.start) - number * 6.006 + 0.05 < 2.006 + 0.05


@pytest.mark.parametrize(
    ("parts", "peak"),
    [
        pytest.param([(6, 6_000), (6, 12_000), (6, 6_000)], 16_000, id="the largest"),
        pytest.param([(6, 6_000), (1, 10_000)], 18_286, id="a short one with another"),
        pytest.param([(2, 2_000), (2, 8_000), (2, 2_000)], 20_000, id="several together"),
        pytest.param([(1, 1_000)], 8_000, id="a film shorter than that"),
    ],
)
def test_the_peak_is_of_neighbours_about_as_long_as_the_target(
    parts: list[tuple[float, int]], peak: int
) -> None:
    assert peak_bits(run(*parts), 6) == peak


@given(st.lists(st.tuples(st.floats(0.1, 9), st.integers(1, 10**9)), min_size=1))
@settings(deadline=None)
def test_a_peak_of_segments_of_the_target_is_never_below_the_mean(
    parts: list[tuple[float, int]],
) -> None:
    even = run(*((6, size) for _, size in parts))

    assert peak_bits(even, 6) >= mean_bits(even)


@pytest.mark.parametrize(
    ("entry", "config", "name"),
    [
        ("avc1", AVC, "avc1.64001f"),
        ("hvc1", "0101600000009000000000005df000fcfdf8f800000f03", "hvc1.1.6.L93.90"),
        ("hvc1", "012220000000b0000000000099f000", "hvc1.2.4.H153.B0"),
        ("av01", "81050c00", "av01.0.05M.08"),
        ("av01", "81284c00", "av01.1.08M.10"),
        ("vp09", "01000000001f80020202", "vp09.00.31.08"),
        ("mp4a", ESDS, "mp4a.40.2"),
        ("Opus", "", "opus"),
        ("ec-3", "", "ec-3"),
    ],
)
def test_codecs_have_the_names_by_which_players_ask(
    entry: str, config: str, name: str
) -> None:
    assert codec_name(entry, bytes.fromhex(config)) == name


@pytest.mark.parametrize(("entry", "config"), [("mp4v", ""), ("avc1", "01"), ("mp4a", "")])
def test_what_has_no_name_is_refused(entry: str, config: str) -> None:
    with pytest.raises(OutputDamaged):
        codec_name(entry, bytes.fromhex(config))


def test_languages_have_two_letters_where_there_are_such() -> None:
    assert [language_tag(each) for each in ("ger", "deu", "gsw", None)] == [
        *("de", "de", "gsw", None)
    ]


def test_no_two_attempts_or_outputs_share_an_id() -> None:
    ids = {
        publication_id(attempt, output) for attempt in ("t.c1", "t.c2") for output in (0, 1)
    }

    assert len(ids) == 4
