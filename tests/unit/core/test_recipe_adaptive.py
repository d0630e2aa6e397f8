"""What a recipe may ask of an adaptive output."""

from typing import Any

import pytest

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import (
    AdaptiveOutput,
    Rung,
    parse_recipe,
)
from media_nommer.core.recipes.adaptive import rung_video


def read(output: dict[str, Any], **more: Any) -> AdaptiveOutput:
    document = {"inputs": [{"url": "file:///film.mp4"}], "outputs": [output], **more}
    (found,) = parse_recipe(document, load_presets()).outputs
    assert isinstance(found, AdaptiveOutput)
    return found


def test_everything_has_a_default() -> None:
    output = read({"kind": "adaptive"})

    assert output.name == "{stem}/index.{ext}"
    assert output.formats == ("hls", "dash")
    assert (output.segments, output.segment_duration, output.gop) == ("ranges", 6, 2)
    assert output.video is not None
    assert output.audio is not None
    assert (output.video.codec, output.video.quality) == ("h264", 22)
    assert (output.audio.codec, output.audio_tracks, output.ladder) == ("aac", "all", None)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"ladder": "auto"},
        {"ladder": [{"height": 720, "bitrate": 3000}], "formats": ["dash"]},
        {"segments": "ts"},
        {"audio_groups": [{"codec": "eac3", "channels": 6}]},
        {"video": None},
        {"audio": None},
    ],
)
def test_a_recipe_that_was_stored_comes_back_equal(said: dict[str, Any]) -> None:
    output = read({"kind": "adaptive", **said})

    assert read(output.model_dump(mode="json")) == output


@pytest.mark.parametrize("preset", ["hls", "hls-dash"])
def test_a_ladder_stands_instead_of_the_box_of_a_preset(preset: str) -> None:
    output = read({"preset": preset, "ladder": [{"height": 720}, {"height": 360}]})

    assert output.ladder == (Rung(height=720), Rung(height=360))
    assert output.video is not None
    assert (output.video.width, output.video.height) == (None, None)
    assert (output.video.turn_box, output.video.quality) == (True, 22)


def test_a_box_that_is_said_beside_a_ladder_is_refused() -> None:
    with pytest.raises(InvalidRecipe, match="in the ladder"):
        read({"preset": "hls", "ladder": [{"height": 720}], "video": {"height": 720}})


def test_segments_of_mpeg_ts_are_of_hls_alone() -> None:
    assert read({"kind": "adaptive", "segments": "ts"}).formats == ("hls",)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"segment_duration": 5},
            "outputs[0].segment_duration: must be a whole number of times the gop, 2, "
            "not 5",
        ),
        ({"name": "film.mp4"}, "outputs[0].name: must end in one of: .{ext}"),
        (
            {"name": "film.mpd", "formats": ["hls"]},
            "outputs[0].name: must end in one of: .{ext}, .m3u8",
        ),
        (
            {"video": {"gop": 4}},
            "outputs[0].video.gop: is said beside video, since all renditions have the "
            "same",
        ),
        (
            {"video": {"max_bitrate": 4000}},
            "outputs[0].video.max_bitrate: is said for each rendition, in the ladder",
        ),
        (
            {"video": {"height": 480}, "ladder": [{"height": 240}]},
            "outputs[0].video.height: is said for each rendition, in the ladder",
        ),
        (
            {"video": {"codec": "prores"}},
            "outputs[0].video.codec: an adaptive output does not hold prores; allowed: "
            "h264, hevc, av1, vp9",
        ),
        (
            {"segments": "ts", "audio": {"codec": "opus"}},
            "outputs[0].audio.codec: ts segments do not hold opus; allowed: aac, ac3, eac3",
        ),
        (
            {"segments": "ts", "formats": ["hls", "dash"]},
            "outputs[0].segments: ts is for hls alone; allowed with dash: ranges, files",
        ),
        (
            {"ladder": [{"bitrate": 900, "quality": 20}]},
            "outputs[0].ladder[0]: quality and bitrate contradict each other; allowed: "
            "quality, quality with max_bitrate, bitrate",
        ),
        (
            {"video": {"codec": "av1"}, "ladder": [{"bitrate": 900, "max_bitrate": 1200}]},
            "outputs[0].ladder[0].max_bitrate: av1 has it with quality, not with bitrate",
        ),
        (
            {"video": {"resize": "fill"}, "ladder": [{"height": 240}]},
            "outputs[0].ladder[0].resize: fill needs a width and a height",
        ),
        (
            {"video": None, "ladder": [{"height": 240}]},
            "outputs[0].ladder: is for the picture, and there is no video",
        ),
        (
            {"video": None, "audio": None},
            "outputs[0]: has neither video nor audio, so there is nothing to make",
        ),
        (
            {"object": {"content_type": "video/mp4"}},
            "outputs[0].object.content_type: an output of many kinds of files has no one "
            "type",
        ),
        (
            {"audio_groups": [{}, {"codec": "mp3"}]},
            "outputs[0].audio_groups[1].codec: an adaptive output does not hold mp3; "
            "allowed: aac, opus, flac, ac3, eac3",
        ),
        (
            {"audio": None, "audio_groups": [{}]},
            "outputs[0].audio_groups: are beside audio, which is null",
        ),
        (
            {"audio_groups": [{"if_missing": "silence"}]},
            "outputs[0].audio_groups[0].if_missing: is said in audio, for all groups",
        ),
        (
            {"audio_groups": [{"chanels": 6}]},
            "outputs[0].audio_groups[0].chanels: is not known here; did you mean "
            "'channels'? allowed: codec, profile, bitrate, channels, sample_rate, "
            "bit_depth, loudness, if_missing, fade_in, fade_out",
        ),
        ({"ladder": []}, "outputs[0].ladder: must have at least one entry"),
        (
            {"ladder": [{"hight": 240}]},
            "outputs[0].ladder[0].hight: is not known here; did you mean 'height'? "
            "allowed: width, height, quality, bitrate, max_bitrate, buffer, profile, level",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        read({"kind": "adaptive", **said})

    assert caught.value.message == sentence


def test_royalty_free_holds_for_renditions_too() -> None:
    with pytest.raises(InvalidRecipe) as caught:
        read({"kind": "adaptive", "audio_groups": [{"codec": "ac3"}]}, royalty_free=True)

    assert caught.value.message.splitlines() == [
        "outputs[0].video.codec: h264 is not royalty-free, which the recipe asks for; "
        "allowed: vp9, av1, ffv1",
        "outputs[0].audio.codec: aac is not royalty-free, which the recipe asks for; "
        "allowed: opus, vorbis, flac",
        "outputs[0].audio_groups[0].codec: ac3 is not royalty-free, which the recipe asks "
        "for; allowed: opus, vorbis, flac",
    ]


def test_a_rung_wins_over_what_is_said_for_all() -> None:
    output = read(
        {"kind": "adaptive", "video": {"quality": 20, "speed": "fast", "buffer": 1}}
    )

    capped = rung_video(output, Rung(height=720, max_bitrate=3000))
    average = rung_video(output, Rung(height=360, bitrate=800))

    assert (capped.height, capped.quality, capped.max_bitrate) == (720, 20, 3000)
    assert (capped.gop, capped.fixed_gop, capped.speed) == (2, True, "fast")
    assert (average.quality, average.bitrate, average.buffer) == (None, 800, None)


@pytest.mark.parametrize("name", ["hls", "hls-dash"])
def test_what_stands_beside_a_streaming_preset_wins(name: str) -> None:
    output = read({"preset": name, "segment_duration": 4, "video": {"height": 480}})

    assert output.video is not None
    assert (output.segment_duration, output.video.height) == (4, 480)
    assert output.formats == (("hls",) if name == "hls" else ("hls", "dash"))
