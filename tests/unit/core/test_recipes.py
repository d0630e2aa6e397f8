"""What a recipe may say, and what is said of one that may not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.errors import InvalidRecipe, UnknownPreset
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import (
    FileOutput,
    Recipe,
    ThumbnailsOutput,
    parse_recipe,
)
from media_nommer.core.recipes.documents import OUTPUT_KINDS
from media_nommer.core.recipes.names import safe_stem, unsafe_name

INPUTS = [{"url": "file:///films/in.mov"}]
PRESETS = load_presets()


def read(*outputs: object, **more: object) -> Recipe:
    document = {"inputs": INPUTS, "outputs": list(outputs), **more}
    return parse_recipe(document, PRESETS)


def refusal(*outputs: object, **more: object) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        read(*outputs, **more)
    return caught.value.message


def test_the_example_of_the_wire_is_read() -> None:
    recipe = parse_recipe(
        {
            "inputs": [{"url": "file:///films/in.mov"}],
            "destination": "s3://bucket/out/",
            "outputs": [
                {"preset": "web"},
                {
                    "kind": "file",
                    "name": "small.mp4",
                    "video": {"codec": "h264", "height": 360},
                },
            ],
            "tags": {"show": "42"},
            "pass_through": {},
            "if_exists": "fail",
        },
        PRESETS,
    )

    assert recipe.outputs[0].from_preset == "web"
    small = recipe.outputs[1]
    assert isinstance(small, FileOutput)
    assert small.video is not None
    assert (small.container, small.video.quality) == ("mp4", 22)
    assert small.audio is not None
    assert small.audio.codec == "aac"


def test_without_outputs_it_is_the_preset_web() -> None:
    recipe = parse_recipe({"inputs": INPUTS}, PRESETS)

    (output,) = recipe.outputs
    assert isinstance(output, FileOutput)
    assert output.from_preset == "web"


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_a_recipe_and_survives_being_stored(name: str) -> None:
    recipe = read({"preset": name})

    stored = json.loads(json.dumps(recipe.model_dump(mode="json")))

    assert parse_recipe(stored) == recipe


def test_a_silent_film_is_still_silent_after_being_stored() -> None:
    recipe = read({"video": {}, "audio": None})

    again = parse_recipe(recipe.model_dump(mode="json"))

    assert again == recipe
    assert again.outputs[0].audio is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "container", "video", "audio"),
    [
        pytest.param({"name": "a.webm", "video": {"codec": "vp9"}}, "webm", "vp9", "opus"),
        pytest.param({"video": {"codec": "av1"}}, "webm", "av1", "opus"),
        pytest.param({"name": "a.mp3"}, "mp3", None, "mp3"),
        pytest.param({"audio": {"codec": "opus"}}, "ogg", None, "opus"),
        pytest.param({}, "m4a", None, "aac"),
        pytest.param({"container": "mp4", "video": {}}, "mp4", "h264", "aac"),
    ],
)
def test_what_is_not_said_follows_from_what_is(
    said: dict[str, Any], container: str, video: str | None, audio: str
) -> None:
    (output,) = read(said).outputs

    assert isinstance(output, FileOutput)
    assert output.container == container
    assert (output.video.codec if output.video else None) == video
    assert output.audio is not None
    assert output.audio.codec == audio


@pytest.mark.parametrize(
    ("output", "codec"),
    [
        ({"name": "a.wav", "audio": {"bit_depth": 24}}, "pcm"),
        ({"name": "a.flac", "audio": {"bit_depth": 24}}, "flac"),
        ({"name": "a.mp3", "audio": {"channels": 1}}, "mp3"),
        ({"container": "ogg", "audio": {"bitrate": 64}}, "opus"),
        ({"name": "a.webm", "video": {"codec": "vp9"}, "audio": {}}, "opus"),
        ({"video": {"codec": "prores"}, "audio": {"bit_depth": 24}}, "pcm"),
        ({"video": {"codec": "ffv1"}, "audio": {"channels": 2}}, "flac"),
        ({"audio": {"channels": 2}}, "aac"),
    ],
)
def test_a_sound_of_which_no_codec_is_said_has_the_first_of_its_container(
    output: dict[str, Any], codec: str
) -> None:
    (found,) = read(output).outputs

    assert isinstance(found, FileOutput)
    assert found.audio is not None
    assert found.audio.codec == codec


def test_what_stands_beside_a_preset_overrides_it_field_by_field() -> None:
    (output,) = read({"preset": "web", "video": {"height": 480}}).outputs

    assert isinstance(output, FileOutput)
    assert output.video is not None
    assert (output.video.width, output.video.height) == (1920, 480)
    assert output.video.profile == "high"


def test_another_codec_drops_the_numbers_of_the_presets() -> None:
    (output,) = read(
        {"preset": "web", "name": "x.webm", "video": {"codec": "vp9"}, "audio": None}
    ).outputs

    assert isinstance(output, FileOutput)
    assert output.video is not None
    assert (output.container, output.video.quality) == ("webm", 32)
    assert output.video.profile is None


def test_an_interval_replaces_the_count_of_the_preset() -> None:
    (output,) = read({"preset": "thumbnails", "interval": 3}).outputs

    assert isinstance(output, ThumbnailsOutput)
    assert (output.count, output.interval) == (None, 3)


def test_mistakes_beside_a_preset_are_told_with_all_others() -> None:
    said = refusal(
        {"preset": "web", "video": {"codek": "h264"}}, {"preset": "weeb"}, {"vdeo": {}}
    )

    assert [line.split(": ")[0] for line in said.splitlines()] == [
        "outputs[1].preset",
        "outputs[0].video.codek",
        "outputs[2].vdeo",
    ]


@pytest.mark.parametrize(
    ("part", "said", "meant"),
    [
        ("video", "H264", "h264"),
        ("video", "x264", "h264"),
        ("video", "H.265", "hevc"),
        ("video", "libsvtav1", "av1"),
        ("video", "prores_ks", "prores"),
        ("video", "hecv", "hevc"),
        ("audio", "libmp3lame", "mp3"),
        ("audio", "E-AC-3", "eac3"),
        ("audio", "pcm_s16le", "pcm"),
    ],
)
def test_a_codec_by_another_name_is_refused_with_ours(
    part: str, said: str, meant: str
) -> None:
    refused = refusal({part: {"codec": said}})

    assert (
        f"{part}.codec: {said!r} is not known here; did you mean {meant!r}? allowed: "
        in (refused)
    )


def test_a_word_like_none_of_ours_is_refused_without_a_guess() -> None:
    assert "'zzz' is not known here; allowed: h264, hevc," in refusal(
        {"video": {"codec": "zzz"}}
    )


@pytest.mark.parametrize("field", ["frame_rate", "max_frame_rate"])
def test_a_rate_may_be_the_quotient_that_probe_writes(field: str) -> None:
    recipe = read({"video": {field: "30000/1001"}})

    (output,) = recipe.outputs
    assert isinstance(output, FileOutput)
    assert getattr(output.video, field) == pytest.approx(30000 / 1001, abs=1e-12)
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    "said", ["30/0", "0/1", "1/2", "/1001", "30000/", "a/b", "99999999/1"]
)
def test_a_quotient_that_is_no_rate_is_refused(said: str) -> None:
    assert "outputs[0].video.frame_rate: must be " in refusal(
        {"video": {"frame_rate": said}}
    )


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownPreset) as caught:
        read({"preset": "weeb"})

    assert caught.value.message == (
        "outputs[0].preset: there is no preset 'weeb'; did you mean 'web'? known: web, "
        "web-small, hls-dash, hls, webm, av1, web-4k, social-square, social-vertical, "
        "preview, archive, audio, mp3, opus, podcast, thumbnails, poster, sprite"
    )


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            {"video": {"codec": "h265"}},
            "outputs[0].video.codec: 'h265' is not known here; did you mean 'hevc'? "
            "allowed: h264, hevc, vp9, av1, prores, dnxhr, ffv1, copy",
        ),
        (
            {"video": {"heigth": 360}},
            "outputs[0].video.heigth: is not known here; did you mean 'height'? allowed: "
            "codec, width, height, turn_box, quality, target_vmaf, speed, profile, level, "
            "bit_depth, bitrate, max_bitrate, buffer, passes, gop, fixed_gop, frame_rate, "
            "max_frame_rate, b_frames, tune, resize, upscale, pad_color, crop, "
            "deinterlace, hdr, denoise, sharpen, watermarks, texts, burn_in, fade_in, "
            "fade_out",
        ),
        (
            {"preset": "web", "vidoe": {}},
            "outputs[0].vidoe: is not known here; did you mean 'video'? allowed: "
            "kind, name, container, video, audio, audio_tracks, pace, subtitles, cover, "
            "ffmpeg_options, measure, object, expect",
        ),
        (
            {"video": {"height": "tall"}},
            "outputs[0].video.height: must be a whole number, not 'tall'",
        ),
        (
            {"preset": "web", "video": {"height": 8}},
            "outputs[0].video.height: must be at least 16, not 8",
        ),
        (
            {"video": {"quality": 60}},
            "outputs[0].video.quality: must be from 0 to 51 for h264, not 60",
        ),
        (
            {"video": {"codec": "vp9", "profile": "high"}},
            "outputs[0].video.profile: vp9 has no 'high', and none of its kind",
        ),
        (
            {"name": "a.webm", "video": {}},
            "outputs[0].video.codec: webm does not hold h264; allowed: vp9, av1, copy",
        ),
        (
            {"name": "a.mp4", "container": "webm", "video": {"codec": "vp9"}},
            "outputs[0].name: ends in '.mp4' but the container is webm; allowed: webm",
        ),
        (
            {"audio": None},
            "outputs[0]: has neither video nor audio, so there is nothing to make",
        ),
        (
            {"name": "../{stem}.mp4", "video": {}},
            "outputs[0].name: '../x.mp4' has a part that is empty, '.' or '..'",
        ),
        (
            {"name": "{sem}.mp4", "video": {}},
            "outputs[0].name: {sem} is not known here, did you mean {stem}? allowed: "
            "{stem}, {preset}, {height}, {width}, {codec}, {ext}",
        ),
        (
            {"name": "{stem.__class__}.m4a"},
            "outputs[0].name: {stem.__class__} is not known here; allowed: "
            "{stem}, {preset}, {codec}, {ext}",
        ),
        (
            {"kind": "hls"},
            "outputs[0]: the kind 'hls' is not known here; allowed: "
            + ", ".join(OUTPUT_KINDS),
        ),
        (
            {"kind": "thumbnails", "count": 3, "interval": 2},
            "outputs[0]: count and interval contradict each other; allowed: one of count, "
            "interval, times, poster",
        ),
        (
            {"kind": "thumbnails", "name": "poster.jpg"},
            "outputs[0].name: needs {number}, since there is more than one picture",
        ),
        (
            {"object": {"cache_contrl": "no"}},
            "outputs[0].object.cache_contrl: is not known here; did you mean "
            "'cache_control'? allowed: content_type, cache_control, storage_class, kms_key",
        ),
        (
            {"audio": {"codec": "opus", "sample_rate": 44100}},
            "outputs[0].audio.sample_rate: opus has no 44100; "
            "allowed: 8000, 16000, 24000, 48000",
        ),
    ],
)
def test_a_fault_is_told_in_one_sentence(output: object, sentence: str) -> None:
    assert refusal(output) == sentence


@pytest.mark.parametrize(
    ("video", "sentence"),
    [
        (
            {"quality": 20, "bitrate": 900},
            ": quality and bitrate contradict each other; allowed: quality, quality with "
            "max_bitrate, bitrate",
        ),
        (
            {"bitrate": 900, "max_bitrate": 800},
            ".max_bitrate: must be at least the bitrate, 900, not 800",
        ),
        (
            {"codec": "av1", "bitrate": 900, "max_bitrate": 1800},
            ".max_bitrate: av1 has it with quality, not with bitrate",
        ),
        ({"buffer": 1}, ".buffer: needs max_bitrate, of which it is so many seconds"),
        (
            {"profile": "main10"},
            ".profile: h264 has no 'main10'; allowed: high, main, baseline, high10",
        ),
        (
            {"profile": "high", "bit_depth": 10},
            ".bit_depth: the profile high has 8, not 10",
        ),
        (
            {"quality": 0, "profile": "high"},
            ".profile: high cannot lose nothing, as quality 0 does",
        ),
        ({"codec": "hevc", "bit_depth": 8, "hdr": "keep"}, ".hdr: keep needs 10 bits"),
        ({"codec": "prores", "bit_depth": 8}, ".bit_depth: prores has 10, not 8"),
        ({"codec": "prores", "quality": 8}, ".quality: prores has none; choose by profile"),
        ({"codec": "dnxhr", "bitrate": 80}, ".bitrate: dnxhr has none; choose by profile"),
        ({"codec": "ffv1", "quality": 8}, ".quality: ffv1 has none; it loses nothing"),
        ({"codec": "dnxhr", "gop": 2}, ".gop: every frame of dnxhr is a key frame"),
        ({"codec": "vp9", "b_frames": 2}, ".b_frames: is for h264 and hevc, not for vp9"),
        (
            {"profile": "baseline", "b_frames": 2},
            ".b_frames: the profile baseline has none",
        ),
        (
            {"codec": "hevc", "tune": "film"},
            ".tune: hevc has no 'film'; allowed: animation, grain, fastdecode, zerolatency",
        ),
        (
            {"codec": "av1", "level": "4.1"},
            ".level: av1 has no '4.1', and none of its kind",
        ),
        (
            {"frame_rate": 25, "max_frame_rate": 30},
            ": frame_rate and max_frame_rate contradict each other; allowed: one of them",
        ),
        (
            {"resize": "fill", "width": 360},
            ".resize: fill needs a width and a height",
        ),
        ({"pad_color": "white"}, ".pad_color: is for the resize pad, not for fit"),
        (
            {"crop": {"aspect": "1:1", "left": 2}},
            ".crop: aspect and edges contradict each other; allowed: aspect, or left, "
            "right, top, bottom",
        ),
        (
            {"crop": {"aspect": "wide"}},
            ".crop.aspect: 'wide' is not of the right form; "
            "allowed: such as 16:9 or 2.39:1",
        ),
        (
            {"crop": {"lefft": 2}},
            ".crop.lefft: is not known here; did you mean 'left'? allowed: auto, aspect, "
            "left, right, top, bottom, width, height",
        ),
        (
            {"codec": "copy", "height": 360},
            ".height: copy takes the picture as it is; choose a codec",
        ),
    ],
)
def test_what_a_picture_cannot_be_is_told(video: dict[str, Any], sentence: str) -> None:
    homes = {"prores": "mov", "dnxhr": "mov", "ffv1": "mkv"}
    container = homes.get(video.get("codec", "h264"), "mp4")

    said = refusal({"container": container, "video": video})

    assert said == f"outputs[0].video{sentence}"


@pytest.mark.parametrize(
    ("audio", "sentence"),
    [
        ({"codec": "flac", "bitrate": 90}, ".bitrate: flac loses nothing, so it has none"),
        ({"codec": "ac3", "channels": 8}, ".channels: ac3 has at most 6, not 8"),
        ({"codec": "aac", "bit_depth": 24}, ".bit_depth: is for flac and pcm, not for aac"),
        (
            {"codec": "vorbis", "sample_rate": 8000},
            ".sample_rate: vorbis has no 8000; allowed: 44100, 48000",
        ),
        (
            {"codec": "copy", "channels": 2},
            ".channels: copy takes the sound as it is; choose a codec",
        ),
    ],
)
def test_what_a_sound_cannot_be_is_told(audio: dict[str, Any], sentence: str) -> None:
    said = refusal({"container": "mkv", "audio": audio})

    assert said == f"outputs[0].audio{sentence}"


def test_a_recipe_may_ask_for_royalty_free_codecs_alone() -> None:
    said = refusal(
        {"preset": "web"},
        {"preset": "webm"},
        {"audio": {"codec": "flac"}},
        {"container": "mkv", "video": {"codec": "av1"}, "audio": {"codec": "copy"}},
        {"preset": "thumbnails"},
        royalty_free=True,
    )

    assert said.splitlines() == [
        "outputs[0].video.codec: h264 is not royalty-free, which the recipe asks for; "
        "allowed: vp9, av1, ffv1",
        "outputs[0].audio.codec: aac is not royalty-free, which the recipe asks for; "
        "allowed: opus, vorbis, flac",
        "outputs[3].audio.codec: copy is not royalty-free, which the recipe asks for; "
        "allowed: opus, vorbis, flac",
    ]


def test_a_preset_that_is_not_royalty_free_is_refused_by_the_name_of_its_codecs() -> None:
    said = refusal({"preset": "web"}, {"preset": "webm"}, royalty_free=True)

    assert said.splitlines() == [
        "outputs[0].video.codec: h264 is not royalty-free, which the recipe asks for; "
        "allowed: vp9, av1, ffv1",
        "outputs[0].audio.codec: aac is not royalty-free, which the recipe asks for; "
        "allowed: opus, vorbis, flac",
    ]


def test_another_way_to_say_the_bits_replaces_that_of_the_preset() -> None:
    (output,) = read({"preset": "web", "video": {"bitrate": 900, "bit_depth": 10}}).outputs

    assert isinstance(output, FileOutput)
    assert output.video is not None
    assert (output.video.quality, output.video.profile) == (None, None)
    assert parse_recipe({"inputs": INPUTS, "outputs": [output.model_dump()]}) is not None


def test_the_most_inputs_of_a_recipe_are_named() -> None:
    said = refusal({"preset": "web"}, inputs=[{"url": "a"}] * 51)

    assert said == "inputs: has more entries than are allowed; at most 50"


def test_a_fault_in_a_later_input_is_told_by_its_place() -> None:
    said = refusal({"preset": "web"}, inputs=[{"url": "a"}, {"url": "b", "stat": 2}])
    cut = refusal(
        {"preset": "web"}, inputs=[{"url": "a"}, {"url": "b", "end": 1, "start": 2}]
    )

    assert said.startswith("inputs[1].stat: is not known here; did you mean 'start'?")
    assert cut == "inputs[1].end: must be after the start, 2, not 1"


def test_a_fault_in_what_is_said_of_the_join_is_told_by_its_place() -> None:
    said = refusal({"preset": "web"}, join={"width": 640, "hight": 360})

    assert said.startswith("join.hight: is not known here; did you mean 'height'?")


def test_every_fault_has_its_own_line() -> None:
    said = refusal({"video": {"codec": "x"}}, if_exists="ask", otputs=1)

    assert said.splitlines() == [
        "outputs[0].video.codec: 'x' is not known here; allowed: h264, hevc, vp9, "
        "av1, prores, dnxhr, ffv1, copy",
        "if_exists: 'ask' is not known here; allowed: fail, replace",
        "otputs: is not known here; did you mean 'outputs'? allowed: inputs, join, "
        "destination, outputs, tags, pass_through, if_exists, priority, group, "
        "royalty_free",
    ]


def test_what_may_hold_a_password_is_not_repeated() -> None:
    said = refusal({"preset": "web"}, destination=["s3://me:secret@bucket"])

    assert said == "destination: must be a text, not the one given"


def test_a_recipe_must_be_an_object() -> None:
    with pytest.raises(InvalidRecipe, match="must be an object"):
        parse_recipe(["web"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["url", "kind", "video", "audio", "name", "codec", "preset", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"inputs": JSON, "outputs": JSON}) | JSON)
def test_any_document_is_read_or_refused_with_a_sentence(document: object) -> None:
    try:
        recipe = parse_recipe(document, PRESETS)
    except (InvalidRecipe, UnknownPreset) as error:
        said = error.message
    else:
        said = f"{len(recipe.outputs)} outputs"

    assert said


@given(st.text())
def test_any_stem_can_stand_in_a_name(stem: str) -> None:
    assert unsafe_name(f"{safe_stem(stem)}.mp4") is None
    assert unsafe_name(f"{safe_stem(stem)}-{1:04d}.jpg") is None
