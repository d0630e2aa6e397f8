"""What each way to encode a sound comes to, word for word."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_media import FILM, SONG, SOUND, argv_of, plans_of, recipe_of

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import Media
from media_nommer.core.recipes.codecs import CONTAINERS
from media_nommer.planning.ffmpeg import encode_command
from media_nommer.planning.outputs import plan_outputs


def with_sound(**changes: Any) -> Media:
    return replace(SONG, audio=(replace(SOUND, **changes),))


@pytest.mark.parametrize(
    ("sound", "output", "words", "name"),
    [
        pytest.param(
            {},
            {"audio": {"codec": "flac"}},
            "-c:a flac -sample_fmt s16 -ac 2 -ar 44100",
            "film.flac",
            id="flac",
        ),
        pytest.param(
            {"sample_rate": 96000, "channels": 6},
            {"audio": {"codec": "flac", "bit_depth": 24}},
            "-c:a flac -sample_fmt s32 -bits_per_raw_sample:a 24 -ac 6 -ar 96000",
            "film.flac",
            id="flac as fine as its source",
        ),
        pytest.param(
            {"sample_rate": 44100},
            {"audio": {"codec": "aac", "profile": "he"}},
            "-c:a libfdk_aac -profile:a aac_he -b:a 64k -ac 2 -ar 44100",
            "film.m4a",
            id="aac for few bits",
        ),
        pytest.param(
            {},
            {"name": "{stem}.wav"},
            "-c:a pcm_s16le -ac 2 -ar 44100",
            "film.wav",
            id="wav",
        ),
        pytest.param(
            {},
            {"audio": {"codec": "pcm", "bit_depth": 24, "sample_rate": 48000}},
            "-c:a pcm_s24le -ac 2 -ar 48000",
            "film.wav",
            id="pcm",
        ),
        pytest.param(
            {"sample_rate": 8000, "channels": 1},
            {"audio": {"codec": "vorbis", "bitrate": 8}},
            "-c:a libvorbis -b:a 32k -ac 1 -ar 44100",
            "film.ogg",
            id="vorbis",
        ),
        pytest.param(
            {"channels": 8, "sample_rate": 22050},
            {"audio": {"codec": "ac3"}},
            "-c:a ac3 -b:a 480k -ac 6 -ar 32000",
            "film.mkv",
            id="ac3",
        ),
        pytest.param(
            {},
            {"container": "mp4", "audio": {"codec": "eac3", "bitrate": 8}},
            "-c:a eac3 -b:a 64k -ac 2 -ar 44100",
            "film.mp4",
            id="eac3",
        ),
    ],
)
def test_encoders(sound: dict[str, Any], output: object, words: str, name: str) -> None:
    argv = argv_of(with_sound(**sound), output)

    (plan,) = plans_of(with_sound(**sound), output)
    at = argv.index("-c:a")
    assert argv[at : argv.index("-filter:a")] == tuple(words.split())
    assert plan.names == (name,)


def test_a_copy_is_neither_filtered_nor_mixed() -> None:
    argv = argv_of(
        replace(SONG, title=None, video=()),
        {"container": "m4a", "audio": {"codec": "copy"}},
    )

    assert argv == (
        *("-threads", "2", "-i", "source", "-map", "0:1"),
        *("-map_metadata:g", "-1", "-map_metadata:s", "-1", "-map_chapters", "0"),
        *("-metadata:s:a:0", "language=eng", "-c:a", "copy"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", "-f", "ipod", "out-0.m4a"),
    )


def test_a_copy_that_the_container_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidRecipe) as caught:
        plans_of(SONG, {"container": "webm", "audio": {"codec": "copy"}})

    assert caught.value.message == (
        "outputs[0].audio.codec: webm cannot hold a copy of aac; allowed: opus, vorbis, "
        "or another codec from: opus, vorbis"
    )


def test_a_film_to_be_cut_has_sound_to_be_cut() -> None:
    (plan,) = plans_of(FILM, {"video": {"codec": "prores"}})

    assert plan.container == "mov"
    assert plan.audio is not None
    assert plan.audio.holds == "pcm_s16le"


FLOAT = ",aformat=sample_fmts=fltp,aformat=channel_layouts="
LIMIT = ",alimiter=limit=0.95:level=0:latency=1"
MEAN = ",pan=mono|c0=0.5*c0+0.5*c1"


@pytest.mark.parametrize(
    ("there", "wanted", "mixing"),
    [
        (2, 2, ""),
        (1, 2, ""),
        (2, 1, MEAN),
        (6, 2, f"{FLOAT}stereo{LIMIT}"),
        (6, 1, f"{FLOAT}stereo{LIMIT}{MEAN}"),
        (8, 6, f"{FLOAT}5.1{LIMIT}"),
    ],
)
def test_mixing_down(there: int, wanted: int, mixing: str) -> None:
    output = {"container": "m4a", "audio": {"channels": wanted}}

    argv = argv_of(with_sound(channels=there), output)

    assert argv[argv.index("-filter:a") + 1] == f"aresample=async=1{mixing}"


SOUNDS = st.builds(
    with_sound,
    codec=st.sampled_from(["aac", "pcm_s16le", "dts", "opus"]),
    channels=st.integers(0, 70),
    sample_rate=st.integers(0, 800_000),
    language=st.none() | st.text(max_size=5),
)
AUDIOS = st.fixed_dictionaries(
    {"codec": st.sampled_from(CONTAINERS["mkv"].audio)},
    optional={
        "bitrate": st.integers(8, 640),
        "channels": st.sampled_from([1, 2, 6, 8]),
        "sample_rate": st.sampled_from([8000, 22050, 44100, 48000, 96000]),
        "bit_depth": st.sampled_from([16, 24]),
    },
)


@settings(deadline=None)
@given(SOUNDS, AUDIOS, st.sampled_from(list(CONTAINERS)))
def test_every_recipe_that_is_read_is_planned_or_refused_with_a_sentence(
    media: Media, audio: dict[str, Any], container: str
) -> None:
    try:
        recipe = recipe_of({"container": container, "audio": audio})
        plans = plan_outputs(media, recipe, stem="film")
    except InvalidRecipe as error:
        told = error.message.splitlines()
    else:
        told = []
        argv = encode_command(media, plans, source="source", threads=3).argv
        assert not any("None" in word for word in argv)

    assert all(line.startswith("outputs[0].audio") for line in told)
