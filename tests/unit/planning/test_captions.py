"""Captions as text: what is read, cut and written."""

import pytest

from media_nommer.core.errors import OutputDamaged
from media_nommer.planning.captions import (
    Cue,
    as_srt,
    as_webvtt,
    check_captions,
    clipped,
    cues_in,
    decoded,
)

SRT = """\
1
00:00:00,500 --> 00:00:02,500
{\\an8}First <i>line</i> & more

2
00:00:02,800 --> 00:00:05,200
<font color="#ff0000">Second</font>
line 1 < 2 --> 3

3
01:00:06,500 --> 01:00:07,000
Last
"""


def test_a_track_becomes_webvtt_with_its_own_tags_alone() -> None:
    assert as_webvtt(cues_in(SRT)) == (
        "WEBVTT\n\n"
        "00:00:00.500 --> 00:00:02.500 line:0\nFirst <i>line</i> &amp; more\n\n"
        "00:00:02.800 --> 00:00:05.200\nSecond\nline 1 &lt; 2 --&gt; 3\n\n"
        "01:00:06.500 --> 01:00:07.000\nLast\n\n"
    )


def test_subrip_stays_as_it_is() -> None:
    assert as_srt(cues_in(SRT)) == SRT + "\n"


def test_a_part_shows_what_was_shown_then_from_its_own_start() -> None:
    cues = clipped(cues_in(SRT), start=1.5, end=3.0)

    assert [(cue.start, cue.end) for cue in cues] == [(0, 1000), (1300, 1500)]


def test_what_shows_nothing_is_left_out() -> None:
    text = (
        "1\n00:00:02,000 --> 00:00:03,000\nb\n\n"
        "2\n00:00:01,000 --> 00:00:02,000\n \n\n"
        "3\n00:00:05,000 --> 00:00:04,000\nbackwards\n\n"
        "4\n00:00:00,000 --> 00:00:01,000\na\n"
    )

    assert [cue.text for cue in cues_in(text)] == ["a", "b"]
    assert as_webvtt(()) == "WEBVTT\n\n"


def test_text_of_strangers_stays_within_its_cue() -> None:
    text = (
        "1\n00:00:00,000 --> 00:00:01,000\n"
        "<b>a<i>b</b></u>\x00\n\nSTYLE\n::cue { color: red }\n<script>x</script>\n"
    )

    (head, body, rest) = as_webvtt(cues_in(text)).split("\n", 3)[1:]

    assert (head, body) == ("", "00:00:00.000 --> 00:00:01.000")
    assert rest == (
        "<b>a<i>b</i></b>\nSTYLE\n::cue { color: red }\n&lt;script&gt;x&lt;/script&gt;\n\n"
    )


def test_text_that_is_not_utf_8_is_western_european() -> None:
    assert decoded("Café €\n".encode("cp1252") + "Ünïcode".encode()) == "Café €\nÜnïcode"


@pytest.mark.parametrize(
    ("text", "webvtt"),
    [
        pytest.param("00:00:00.000 --> 00:00:01.000\na\n\n", True, id="no head"),
        pytest.param("WEBVTT\n\n", True, id="a cue is missing"),
        pytest.param("1\n00:00:00,000 --> 00:00:01,000\n\n", False, id="an empty cue"),
    ],
)
def test_captions_that_are_not_what_was_planned_are_refused(
    text: str, webvtt: bool
) -> None:
    good = [Cue(0, 1000, "a")]
    check_captions(as_webvtt(good), webvtt=True, cues=1)
    check_captions(as_srt(good), webvtt=False, cues=1)

    with pytest.raises(OutputDamaged):
        check_captions(text, webvtt=webvtt, cues=1)
