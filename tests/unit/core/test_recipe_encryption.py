"""What a recipe may ask of encryption, and that it tells no key."""

from typing import Any

import pytest

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes import AdaptiveOutput, Recipe, parse_recipe
from media_nommer.core.recipes.secrets import has_sealed, secrets_in, with_secrets

KEY = "00112233445566778899aabbccddeeff"
URL = "https://keys.example/film"
GIVEN = {"scheme": "aes-128", "key": KEY, "key_url": URL}
FRAMED = {**GIVEN, "scheme": "cenc", "key_id": "a" * 32}


def read(encryption: object, **said: Any) -> Recipe:
    output = {"kind": "adaptive", "encryption": encryption, **said}
    return parse_recipe({"inputs": [{"url": "file:///film.mp4"}], "outputs": [output]})


def output_of(recipe: Recipe) -> AdaptiveOutput:
    (output,) = recipe.outputs
    assert isinstance(output, AdaptiveOutput)
    return output


def test_files_encrypted_whole_are_of_hls_alone() -> None:
    output = output_of(read(GIVEN))

    assert (output.formats, output.segments) == (("hls",), "files")
    assert output_of(read(GIVEN, segments="ts")).segments == "ts"


def test_frames_are_encrypted_in_segments_of_any_kind_for_both_formats() -> None:
    output = output_of(read(FRAMED))

    assert (output.formats, output.segments) == (("hls", "dash"), "ranges")
    without = {**FRAMED, "key_url": None}
    assert output_of(read(without, formats=["dash"])).encryption is not None


@pytest.mark.parametrize("said", [GIVEN, FRAMED])
def test_a_stored_recipe_comes_back_equal(said: dict[str, Any]) -> None:
    recipe = with_secrets(read(said), lambda _: f"sealed:{'0' * 32}")

    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("encryption", "said", "sentence"),
    [
        (
            GIVEN,
            {"formats": ["hls", "dash"]},
            ".scheme: aes-128 is for hls alone; allowed with dash: cenc, cbcs",
        ),
        (
            GIVEN,
            {"segments": "ranges"},
            ".scheme: aes-128 encrypts whole files; allowed segments: files, ts",
        ),
        (
            {**GIVEN, "publish_key": True},
            {},
            ": key_url and publish_key contradict each other; allowed: one of them",
        ),
        (
            {"scheme": "aes-128"},
            {},
            ": needs key_url, where players find the key, or publish_key, which lays it "
            "beside the playlists",
        ),
        (
            {"scheme": "aes-128", "key_url": URL},
            {},
            ".key: is missing; it is the one that players find at key_url",
        ),
        ({**GIVEN, "key_id": KEY}, {}, ".key_id: aes-128 has none"),
        (
            {**FRAMED, "key_id": None},
            {},
            ".key_id: is missing; cenc needs it",
        ),
        (
            {**FRAMED, "audio_key": KEY},
            {},
            ": audio_key and audio_key_id go together",
        ),
        (
            {**FRAMED, "key_url": "skd://film"},
            {},
            ".key_url: skd is of Apple's players, which read cbcs, not cenc",
        ),
        (
            {**FRAMED, "publish_key": True},
            {},
            ".publish_key: cenc has its keys from a licence server",
        ),
        (
            FRAMED,
            {"segments": "ts"},
            ".scheme: cenc is of MP4; allowed segments: ranges, files",
        ),
        (
            {**FRAMED, "pssh": ["QUJD"]},
            {},
            ".pssh[0]: is no box of a licence system in base64",
        ),
        (
            {**FRAMED, "pssh": ["A==="]},
            {},
            ".pssh[0]: is no box of a licence system in base64",
        ),
        (
            {**FRAMED, "key_url": None},
            {},
            ": hls needs key_url, by which players ask for the key, or a pssh of Widevine "
            "or PlayReady",
        ),
        (
            {**GIVEN, "key_url": 'https://x/"y'},
            {},
            ".key_url: the one given is not of the right form; allowed: a URL without "
            "spaces and quotation marks",
        ),
    ],
)
def test_what_cannot_be_is_told(
    encryption: dict[str, Any], said: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        read(encryption, **said)

    assert caught.value.message == f"outputs[0].encryption{sentence}"


@pytest.mark.parametrize(
    "encryption",
    [
        {"scheme": "aes-128", "key": KEY[:-1], "key_url": URL},
        {"scheme": "aes-128", "key": [KEY], "key_url": URL},
        {**FRAMED, "audio_key": KEY[:-1], "audio_key_id": "b" * 32},
        {"scheme": "aes-128", "key": {"hex": KEY}, "key_url": URL},
        {"scheme": "aes-129", "key": KEY, "key_url": URL},
        {"scheme": "aes-128", "kay": KEY, "key_url": URL},
        KEY,
        [KEY],
    ],
)
def test_no_refusal_tells_the_key(encryption: object) -> None:
    """Rule 12."""
    with pytest.raises(InvalidRecipe) as caught:
        read(encryption)

    assert KEY[:8] not in caught.value.message


def test_secrets_are_found_by_their_places_and_can_be_taken_out() -> None:
    recipe = read(GIVEN)

    stored = with_secrets(recipe, lambda secret: f"sealed:{secret[::-1]}")

    assert list(secrets_in(recipe)) == [("outputs[0].encryption.key", KEY)]
    document = stored.model_dump(mode="json")
    assert KEY not in str(document)
    assert has_sealed(document)
    assert not has_sealed(read(None).model_dump(mode="json"))
    assert not has_sealed({"outputs": None})
    assert not has_sealed({"outputs": [{"kind": "of-others", "encryption": "sealed:no"}]})
