"""Files of subtitles that go with an input, and the text of joined films."""

from dataclasses import replace

import pytest
from planning_media import FILM, PICTURE, joined_of

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import SubtitleStream
from media_nommer.planning.captions import Cue
from media_nommer.planning.ffmpeg import encode_command, texts_command
from media_nommer.planning.inputs.given_texts import TextPart

SHORT = replace(FILM, duration=10.0, video=(replace(PICTURE, frames=240, duration=10.0),))
ENGLISH = SubtitleStream(index=3, codec="subrip", language="eng")
SIGNS = SubtitleStream(index=4, codec="ass", language="eng", forced=True)
MKV = {"name": "film.mkv", "video": {"codec": "h264"}}
VTT = {"url": "file:///fra.vtt", "language": "fra", "title": "Français", "default": True}


def test_a_file_of_subtitles_becomes_a_track_beside_those_of_the_source() -> None:
    rich = replace(SHORT, subtitles=(ENGLISH,))
    srt = {"url": "file:///deu.srt", "encoding": "iso-8859-1", "offset": 1.5}

    film, (plan,) = joined_of([rich], MKV, of_inputs=[{"subtitles": [VTT, srt]}])
    texts = texts_command([plan], source=film.source, texts=film.texts)
    argv = encode_command(film.media, [plan], source=film.source, threads=1).argv

    assert [text.holds for text in plan.subtitles] == ["subrip", "subrip", "subrip"]
    assert [text.codec for text in plan.subtitles] == [None, "subrip", "subrip"]
    assert [text.language for text in plan.subtitles] == ["eng", "fra", None]
    assert [text.default for text in plan.subtitles] == [False, True, False]
    assert texts is not None
    assert texts.argv == (
        *("-f", "webvtt", "-sub_charenc_mode:0", "ignore", "-i", "source-1"),
        *("-f", "srt", "-sub_charenc:0", "iso-8859-1", "-i", "source-2"),
        *("-map", "0:0", "-c:s", "subrip", "-f", "srt", "text-1000-part0.srt"),
        *("-map", "1:0", "-c:s", "subrip", "-f", "srt", "text-1001-part0.srt"),
    )
    assert argv[2:10] == (
        *("-i", "source", "-f", "srt", "-i", "text-1000.srt", "-f", "srt"),
    )
    assert plan.video is not None


def test_a_copy_of_the_picture_may_have_a_file_of_subtitles() -> None:
    copied = {"name": "film.mp4", "video": {"codec": "copy"}, "audio": {"codec": "copy"}}

    _, (plan,) = joined_of([SHORT], copied, of_inputs=[{"subtitles": [VTT]}])

    assert [text.holds for text in plan.subtitles] == ["mov_text"]


def test_captions_are_made_of_a_file_of_subtitles() -> None:
    film, (plan,) = joined_of(
        [SHORT], {"kind": "captions", "format": "srt"}, of_inputs=[{"subtitles": [VTT]}]
    )

    texts = texts_command([plan], source=film.source, texts=film.texts)

    assert texts is not None
    assert texts.argv[:6] == (
        *("-f", "webvtt", "-sub_charenc_mode:0", "ignore", "-i", "source-1"),
    )


def test_text_of_one_language_goes_on_from_input_to_input() -> None:
    first = replace(SHORT, subtitles=(ENGLISH, SIGNS))
    second = replace(SHORT, subtitles=(replace(ENGLISH, index=7),))
    said = [{"start": 4}, {"subtitles": [VTT]}]

    film, (plan,) = joined_of([first, second], MKV, of_inputs=said)

    assert [(text.language, text.forced) for text in film.media.subtitles] == [
        ("eng", False),
        ("eng", True),
        ("fra", False),
    ]
    assert film.texts[1000] == (
        TextPart(file="source", stream=3, start=4.0, end=10.0, at=0.0),
        TextPart(file="source-1", stream=7, start=0.0, end=10.0, at=6.0),
    )
    assert [part.at for part in film.texts[1002]] == [6.0]
    assert [text.holds for text in plan.subtitles] == ["subrip"] * 3


def test_cues_are_moved_cut_and_put_where_their_input_begins() -> None:
    part = TextPart(file="x", offset=-1.0, start=2.0, end=5.0, at=10.0)
    cues = [Cue(0, 1000, "gone"), Cue(2500, 4000, "begun"), Cue(5500, 9000, "ends")]

    assert part.shown(cues) == (Cue(10_000, 11_000, "begun"), Cue(12_500, 13_000, "ends"))


def test_what_a_name_does_not_tell_must_be_said() -> None:
    with pytest.raises(
        InvalidRecipe, match=r"inputs\[0\]\.subtitles\[0\]\.format: the name"
    ):
        joined_of([SHORT], MKV, of_inputs=[{"subtitles": [{"url": "file:///a.txt"}]}])


@pytest.mark.parametrize("more", [{}, {"audio": [{"track": 0}]}])
def test_a_file_of_subtitles_is_burnt_in_by_its_place_among_the_files(
    more: dict[str, object],
) -> None:
    rich = replace(SHORT, subtitles=(replace(ENGLISH, default=True),))
    given = [VTT, {"url": "file:///deu.srt", "language": "deu"}]
    burnt = {"name": "film.mkv", "video": {"burn_in": {"file": 1}}}

    film, (plan,) = joined_of([rich], burnt, of_inputs=[{"subtitles": given, **more}])

    assert plan.video is not None
    assert plan.video.drawing.burnt is not None
    assert film.media.subtitles[-1].index == plan.video.drawing.burnt.stream
    assert film.media.subtitles[-1].language == "deu"
    assert [text.language for text in plan.subtitles] == ["eng", "fra"]
