"""What patches of known light and colours are in films and pictures of BT.709."""

from itertools import pairwise
from pathlib import Path

import pytest
from colour_patches import TO_BT2020, TO_P3, Color, each, film, hlg, mixed, pq, seen
from planning_clips import QUICK, make

from media_nommer.core.ports.probe import Probe

WANTED: list[Color] = [
    *((0, 0, 0), (64, 64, 64), (128, 128, 128), (255, 255, 255)),
    *((230, 20, 20), (20, 230, 20), (20, 20, 230), (200, 140, 110), (240, 220, 30)),
]
NITS = (0, 5, 50, 100, 142, 203, 300, 400, 600, 1000)
BRIGHT: list[Color] = [(100, 20, 20), (20, 100, 20), (20, 20, 100), (90, 60, 45)]
MADE = {"name": "a.mp4", "video": {**QUICK, "quality": 1}}


def _apart(one: Color, other: Color) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("primaries", "colours"),
    [
        (TO_BT2020, "bt2020:bt2020-10:bt2020nc"),
        (TO_P3, "smpte432:bt709:bt709"),
    ],
)
def test_wide_colours_look_the_same_in_bt709(
    primaries: tuple[Color, ...], colours: str, probe: Probe, tmp_path: Path
) -> None:
    light = [each(lambda one: (one / 255) ** 2.4, color) for color in WANTED]
    mix = [mixed(primaries, one) for one in light]
    film(tmp_path / "a.mkv", [each(lambda c: c ** (1 / 2.4), m) for m in mix], colours)
    still = {"kind": "thumbnails", "times": [0], "quality": 100}

    made = make(probe, tmp_path, "a.mkv", tmp_path / "made", MADE, still)

    picture = made.found().picture
    assert picture is not None
    told = (picture.color_primaries, picture.color_transfer, picture.color_space)
    assert told == ("bt709", "bt709", "bt709")
    for path, matrix, most in ((made.files[0], "bt709", 4), (made.files[1], "bt601", 6)):
        found = seen(path, len(WANTED), matrix)
        off = [_apart(*pair) for pair in zip(found, WANTED, strict=True)]
        assert max(off) <= most, list(zip(WANTED, found, strict=True))


@pytest.mark.parametrize("curve", ["smpte2084", "arib-std-b67"])
def test_light_of_high_dynamic_range_in_a_standard_one(
    curve: str, probe: Probe, tmp_path: Path
) -> None:
    greys: list[Color] = [(nits, nits, nits) for nits in NITS]
    light = [*greys, *(mixed(TO_BT2020, color) for color in BRIGHT)]
    signals = [hlg(one) if curve != "smpte2084" else each(pq, one) for one in light]
    film(tmp_path / "a.mkv", signals, f"bt2020:{curve}:bt2020nc")

    made = make(probe, tmp_path, "a.mkv", tmp_path / "made", MADE)

    found = seen(made.files[0], len(light))
    level = {nits: found[place][1] for place, nits in enumerate(NITS)}
    assert 235 <= level[203] <= 242, "plain white is all but white, with room above it"
    assert all(later > one for one, later in pairwise(level.values())), "nothing is flat"
    for nits in (0, 5, 50, 100, 142):  # what is darker has the light that it had
        assert level[nits] == pytest.approx(255 * (nits / 203) ** (1 / 2.4), abs=2)
    for color, one in zip(BRIGHT, found[len(NITS) :], strict=True):
        wanted = each(lambda nits: 255 * (nits / 203) ** (1 / 2.4), color)
        assert _apart(one, wanted) <= 5, (color, one, wanted)
