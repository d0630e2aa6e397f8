"""What is drawn onto pictures: where it stands in graphs, and that no text breaks one."""

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import FILM, argv_of, graph_of, plans_of, with_picture

from media_nommer.core.errors import InvalidRecipe, NoStreams
from media_nommer.core.media import SubtitleStream
from media_nommer.planning.drawing import Lettering, may_shrink
from media_nommer.planning.ffmpeg import encode_command, texts_command
from media_nommer.planning.plan import drawings_of
from media_nommer.planning.vmaf import sample_command

SCALE = "scale=1280:720:out_range=tv,setsar=1,format=yuv420p"
URL = "file:///logo.png"
MARK = {"url": URL}
SPOKEN = replace(
    FILM,
    subtitles=(
        SubtitleStream(index=2, codec="subrip", language="eng"),
        SubtitleStream(index=3, codec="hdmv_pgs_subtitle", language="deu"),
    ),
)


def letterings(text: str, **of_picture: Any) -> Lettering:
    (plan,) = plans_of(with_picture(**of_picture), {"video": {"texts": [{"text": text}]}})
    assert plan.video is not None
    return plan.video.drawing.letterings[0]


def graph(**said: Any) -> str:
    return graph_of(FILM, {"video": said})


def shown_at(content: str, time: float) -> str:
    """Return what drawtext makes of a content at a time, by its own rules."""

    def evaluated(said: re.Match[str]) -> str:
        expression, width = said[1], int(said[2])
        words = re.sub(r"floor\(", "int(", expression).replace("mod(", "divmod_(")
        names = {"t": time, "int": int, "divmod_": lambda a, b: a % b}
        return f"{int(eval(words, {'__builtins__': {}}, names)):0{width}}"

    def literal(part: str) -> str:
        assert re.fullmatch(r"([^%\\]|\\.)*", part, re.DOTALL), "FFmpeg expands a bare %"
        return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)

    parts = re.split(r"(%\{eif:[^{}\\]*:d:\d\})", content)
    return "".join(
        re.sub(r"%\{eif:(.*):d:(\d)\}", evaluated, part)
        if part.startswith("%{")
        else literal(part)
        for part in parts
    )


def test_a_watermark_is_scaled_with_the_picture_and_put_to_its_place() -> None:
    said = graph(height=360, watermarks=[{**MARK, "opacity": 0.5, "start": 1, "end": 3.5}])

    path = drawn({"watermarks": [MARK]}).marks[0].path
    assert path not in said
    assert said == (
        "[0:0]scale=640:360:out_range=tv,setsar=1,format=yuv420p[s00b];"
        "[1:v:0]trim=end_frame=1,format=rgba,colorchannelmixer=aa=0.5,"
        "scale=96:340:force_original_aspect_ratio=decrease:force_divisible_by=2"
        ":out_color_matrix=bt709:out_range=tv,setsar=1,format=yuva420p[s00m];"
        "[s00b][s00m]overlay=x=W-w-10:y=H-h-10:eof_action=repeat:format=yuv420"
        ":enable='gte(t,1)*lt(t,3.5)'[v0]"
    )


def drawn(video: dict[str, Any]) -> Any:
    (found,) = drawings_of(plans_of(SPOKEN, {"video": video}))
    return found


def test_each_image_is_one_input_for_all_pictures() -> None:
    video = {"watermarks": [MARK, {"url": "file:///other.png", "position": "top-left"}]}
    argv = argv_of(
        FILM,
        {"name": "a.mp4", "video": video},
        {"name": "b.mp4", "video": {"watermarks": [MARK], "height": 360}},
    )

    inputs = [argv[n + 1] for n, word in enumerate(argv) if word == "-i"]
    assert inputs == ["source", *(mark.path for mark in drawn(video).marks)]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"position": "top-left"}, "overlay=x=22:y=22:"),
        ({"position": "center", "margin": 0}, "x=2*floor((W-w)/4):y=2*floor((H-h)/4):"),
        ({"position": "bottom", "margin": 0.1}, "x=2*floor((W-w)/4):y=H-h-72:"),
        ({"position": "right", "width": 0.5}, "scale=640:676:"),
    ],
)
def test_a_watermark_has_nine_places(said: dict[str, Any], place: str) -> None:
    assert place in graph(watermarks=[{**MARK, **said}])


@pytest.mark.parametrize(
    ("video", "mark", "film"),
    [
        ({"codec": "hevc", "bit_depth": 10}, "yuva420p10le", "yuv420p10"),
        ({"codec": "prores"}, "yuva422p10le", "yuv422p10"),
        ({"codec": "prores", "profile": "4444"}, "yuva444p10le", "yuv444p10"),
        ({"codec": "dnxhr"}, "yuva422p", "yuv422"),
    ],
)
def test_a_watermark_has_the_pixels_of_the_film(
    video: dict[str, Any], mark: str, film: str
) -> None:
    said = graph_of(FILM, {"name": "a.mkv", "video": {**video, "watermarks": [MARK]}})

    assert f"format={mark}[s00m]" in said
    assert f":format={film}[v0]" in said


def test_a_watermark_is_as_white_as_a_film_of_high_dynamic_range() -> None:
    hdr = with_picture(color_transfer="smpte2084", color_space="bt2020nc")
    video = {"codec": "hevc", "watermarks": [MARK], "texts": [{"text": "x"}]}

    kept = graph_of(hdr, {"video": {**video, "hdr": "keep"}})
    standard = graph_of(hdr, {"video": {**video, "hdr": "sdr"}})

    assert "colorchannelmixer=aa=1:rr=0.58:gg=0.58:bb=0.58," in kept
    assert "out_color_matrix=bt2020:" in kept
    assert "fontcolor=0x949494:" in kept
    assert "colorchannelmixer=aa=1,scale" in standard
    assert "out_color_matrix=bt709:" in standard


def test_text_is_drawn_from_a_file_of_ours_in_our_font() -> None:
    content = letterings("50% {timecode}").path
    said = graph(
        texts=[{"text": "50% {timecode}", "background": "#00000080", "end": 4}],
    )

    assert said == (
        f"[0:0]{SCALE},drawtext=fontfile=fonts/text.ttf:textfile={content}:fontsize=36"
        ":fontcolor=0xffffff:box=1:boxcolor=0x000000@0.502:boxborderw=9:text_align=C"
        ":x=(w-text_w)/2:y=h-text_h-38:enable='lt(t,4)'[v0]"
    )


def test_subtitles_come_first_then_images_then_text_and_fades_last() -> None:
    said = graph_of(
        SPOKEN,
        {
            "video": {
                "burn_in": {},
                "watermarks": [MARK],
                "texts": [{"text": "x"}],
                "fade_in": 1,
                "sharpen": "light",
            }
        },
    )

    order = [said.index(name) for name in ("unsharp", "subtitles", "overlay", "drawtext")]
    assert order == sorted(order)
    assert said.endswith(",fade=t=in:st=0:d=1[v0]")


def test_text_subtitles_are_fetched_burnt_in_and_not_kept_as_well() -> None:
    output = {"name": "a.mkv", "video": {"burn_in": {"language": "eng", "size": 0.1}}}
    plans = plans_of(SPOKEN, output)

    command = texts_command(plans, source="source")
    argv = encode_command(SPOKEN, plans, source="source", threads=1).argv

    assert command is not None
    assert [track.path for track in command.tracks] == ["text-2.srt"]
    assert "text-2.srt" not in argv
    assert (
        "subtitles=f=text-2.srt:fontsdir=fonts:force_style='FontName=DejaVu Sans,"
        "FontSize=28.80,PrimaryColour=&H00FFFFFF'"
    ) in argv[argv.index("-filter_complex") + 1]
    assert [each.stream for each in plans[0].subtitles] == [3]


def test_renditions_do_not_show_what_is_burnt_in_once_more() -> None:
    def streamed(video: dict[str, Any]) -> list[int]:
        (plan,) = plans_of(SPOKEN, {"kind": "adaptive", "video": video})
        assert plan.adaptive is not None
        return [text.track.stream for text in plan.adaptive.texts]

    assert streamed({}) == [2]
    assert streamed({"burn_in": {}}) == []


def test_pictures_of_subtitles_lie_over_the_sources_own_picture() -> None:
    output = {"video": {"burn_in": {"track": 1}, "crop": {"aspect": "1:1"}}}

    assert graph_of(SPOKEN, output).startswith(
        "[0:0]null[s0ub];[0:3]scale=1280:720:force_original_aspect_ratio=decrease[s0ut];"
        "[s0ub][s0ut]overlay=x=(W-w)/2:y=(H-h)/2:eof_action=pass:format=auto,"
        "crop=720:720:280:0,"
    )


def test_pictures_of_subtitles_begin_with_the_part_that_is_taken() -> None:
    said = graph_of(SPOKEN, {"video": {"burn_in": {"track": 1}}}, start=60, duration=10)

    assert "[0:3]setpts=PTS-2.000000/TB,scale=" in said


def test_subtitles_that_are_not_there_are_refused() -> None:
    with pytest.raises(NoStreams, match=r"video\.burn_in: needs subtitles"):
        plans_of(FILM, {"video": {"burn_in": {}}})
    with pytest.raises(NoStreams, match=r"burn_in\.language: there is no 'fra'"):
        plans_of(SPOKEN, {"video": {"burn_in": {"language": "fra"}}})


def test_smaller_pictures_of_one_shape_share_what_was_drawn() -> None:
    def count(**of_second: Any) -> int:
        texts = {"texts": [{"text": "x"}]}
        return graph_of(
            FILM,
            {"name": "a.mp4", "video": texts},
            {"name": "b.mp4", "video": {**texts, "height": 280, **of_second}},
        ).count("drawtext")

    assert count() == 1
    assert count(width=400, resize="stretch") == 2
    assert count(width=500, resize="pad") == 2


def test_the_shape_of_what_was_drawn_may_change_by_rounding_alone() -> None:
    assert may_shrink(Fraction(854, 426), Fraction(480, 240))
    assert not may_shrink(Fraction(2), Fraction(3))


def test_trials_are_of_the_film_without_what_is_drawn() -> None:
    video = {"target_vmaf": 90, "watermarks": [MARK], "burn_in": {"track": 1}}
    (plan,) = plans_of(SPOKEN, {"video": video})

    command = " ".join(sample_command(SPOKEN, plan, source="source", threads=1))

    assert "overlay" not in command


@pytest.mark.parametrize(
    ("rate", "time", "shown"),
    [
        (Fraction(24), 0.0, "00:00:00:00"),
        (Fraction(24), 3661.5, "01:01:01:12"),
        (Fraction(24), 1 - 1e-9, "00:00:01:00"),
        (Fraction(30000, 1001), 1001 / 30000 * 1800, "00:01:00:00"),
        (Fraction(60), 59 / 60, "00:00:00:59"),
        (None, 61.042, "00:01:01.042"),
    ],
)
def test_a_timecode_counts_frames_or_thousandths(
    rate: Fraction | None, time: float, shown: str
) -> None:
    average = rate if rate is not None else Fraction(7)
    content = letterings("{timecode}", frame_rate=rate, average_rate=average).content

    assert shown_at(content, time) == shown


TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
    | st.sampled_from("\n\\%{}:'"),
    min_size=1,
    max_size=80,
).filter(lambda text: bool(text.strip()))


@settings(deadline=None)
@given(TEXTS)
def test_every_text_is_shown_as_it_is_and_touches_no_graph(text: str) -> None:
    said = graph(texts=[{"text": text}])

    content = letterings(text).content
    assert shown_at(content, 0.0) == text.replace("{timecode}", "00:00:00:00")
    other = letterings(text + "x").path
    assert said.replace(letterings(text).path, other) == graph(texts=[{"text": text + "x"}])


@pytest.mark.parametrize(
    ("video", "sentence"),
    [
        (
            {"texts": [{"text": "a\x00"}]},
            "texts[0].text: may not hold U+0000; allowed: what can be seen, and line ends",
        ),
        ({"texts": [{"text": " \n"}]}, "texts[0].text: must have something to be seen"),
        (
            {"watermarks": [{**MARK, "start": 2, "end": 2}]},
            "watermarks[0].end: must be after the start, 2, not 2",
        ),
        (
            {"burn_in": {"track": 0, "language": "eng"}},
            "burn_in: track and language contradict each other; allowed: one of them",
        ),
        (
            {"codec": "copy", "texts": [{"text": "x"}]},
            "texts: copy takes the picture as it is; choose a codec",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(video: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        plans_of(FILM, {"name": "a.mkv", "video": video})

    assert refused.value.message == f"outputs[0].video.{sentence}"
