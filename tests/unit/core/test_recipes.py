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
    PresetOutput,
    Recipe,
    ThumbnailsOutput,
    parse_recipe,
    resolve_presets,
)
from media_nommer.core.recipes.names import safe_stem, unsafe_name

INPUTS = [{"url": "file:///films/in.mov"}]
PRESETS = load_presets()


def read(*outputs: object, **more: object) -> Recipe:
    document = {"inputs": INPUTS, "outputs": list(outputs), **more}
    return resolve_presets(parse_recipe(document), PRESETS)


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
        }
    )

    assert isinstance(recipe.outputs[0], PresetOutput)
    small = recipe.outputs[1]
    assert isinstance(small, FileOutput)
    assert small.video is not None
    assert (small.container, small.video.quality) == ("mp4", 22)
    assert small.audio is not None
    assert small.audio.codec == "aac"


def test_without_outputs_it_is_the_preset_web() -> None:
    recipe = resolve_presets(parse_recipe({"inputs": INPUTS}), PRESETS)

    (output,) = recipe.outputs
    assert isinstance(output, FileOutput)
    assert output.from_preset == "web"


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_a_recipe_and_survives_being_stored(name: str) -> None:
    recipe = read({"preset": name})

    stored = json.loads(json.dumps(recipe.model_dump(mode="json")))

    assert resolve_presets(parse_recipe(stored), {}) == recipe


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


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownPreset) as caught:
        read({"preset": "weeb"})

    assert caught.value.message == (
        "outputs[0].preset: there is no preset 'weeb'; did you mean 'web'? known: web, "
        "web-small, webm, av1, audio, mp3, opus, podcast, thumbnails"
    )


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            {"video": {"codec": "h265"}},
            "outputs[0].video.codec: 'h265' is not known here; allowed: h264, vp9, av1",
        ),
        (
            {"video": {"heigth": 360}},
            "outputs[0].video.heigth: is not known here; did you mean 'height'? allowed: "
            "codec, width, height, turn_box, quality, speed, profile",
        ),
        (
            {"preset": "web", "vidoe": {}},
            "outputs[0].vidoe: is not known here; did you mean 'video'? allowed: "
            "kind, name, container, video, audio, object",
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
            "outputs[0].video.profile: is for h264 alone, not for vp9",
        ),
        (
            {"name": "a.webm", "video": {}},
            "outputs[0].video.codec: webm does not hold h264; allowed: vp9, av1",
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
            "outputs[0]: the kind 'hls' is not known here; allowed: file, thumbnails",
        ),
        (
            {"kind": "thumbnails", "count": 3, "interval": 2},
            "outputs[0]: count and interval contradict each other; allowed: one of count, "
            "interval, times",
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


def test_the_limit_of_one_input_is_named() -> None:
    said = refusal({"preset": "web"}, inputs=[{"url": "a"}, {"url": "b"}])

    assert said == "inputs: a job has exactly one input, not 2"


def test_every_fault_has_its_own_line() -> None:
    said = refusal({"video": {"codec": "x"}}, if_exists="ask", otputs=1)

    assert said.splitlines() == [
        "outputs[0].video.codec: 'x' is not known here; allowed: h264, vp9, av1",
        "if_exists: 'ask' is not known here; allowed: fail, replace",
        "otputs: is not known here; did you mean 'outputs'? allowed: inputs, destination, "
        "outputs, tags, pass_through, if_exists, priority, group",
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
        recipe = resolve_presets(parse_recipe(document), PRESETS)
    except (InvalidRecipe, UnknownPreset) as error:
        said = error.message
    else:
        said = f"{len(recipe.outputs)} outputs"

    assert said


@given(st.text())
def test_any_stem_can_stand_in_a_name(stem: str) -> None:
    assert unsafe_name(f"{safe_stem(stem)}.mp4") is None
    assert unsafe_name(f"{safe_stem(stem)}-{1:04d}.jpg") is None
