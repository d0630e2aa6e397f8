"""Stored inspections, as the probe would give them, and plans made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from media_nommer.core.media import AudioStream, Media, VideoStream
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import Recipe, parse_recipe
from media_nommer.core.recipes.places import sources_of
from media_nommer.planning.ffmpeg import encode_command
from media_nommer.planning.inputs.joining import Film, film_of
from media_nommer.planning.inputs.reading import files_of
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.plan import OutputPlan

PICTURE = VideoStream(
    index=0,
    codec="h264",
    width=1280,
    height=720,
    frame_rate=Fraction(24),
    average_rate=Fraction(24),
    frames=14315,
    duration=596.4583333333334,
    start_time=0.0,
    time_base=Fraction(1, 12288),
    pixel_format="yuv420p",
    color_primaries="bt709",
    color_transfer="bt709",
    color_space="bt709",
    color_range="tv",
    default=True,
)
SOUND = AudioStream(
    index=1,
    codec="aac",
    channels=2,
    sample_rate=44100,
    layout="stereo",
    duration=596.4741950113379,
    start_time=0.0,
    time_base=Fraction(1, 44100),
    default=True,
    language="eng",
)
FILM = Media(
    format="mov,mp4,m4a,3gp,3g2,mj2",
    size=50_000_000,
    duration=596.474195,
    video=(PICTURE,),
    audio=(SOUND,),
    title="Big Buck Bunny",
)
SILENT = replace(FILM, audio=())
COVER = replace(PICTURE, index=2, codec="mjpeg", frames=1, attached_picture=True)
SONG = replace(FILM, video=(COVER,))


def recipe_of(*outputs: object, **of_input: object) -> Recipe:
    source = {"url": "file:///film.mp4", **of_input}
    document = {"inputs": [source], "outputs": list(outputs)}
    return parse_recipe(document, load_presets())


def plans_of(media: Media, *outputs: object, **of_input: object) -> tuple[OutputPlan, ...]:
    return plan_outputs(media, recipe_of(*outputs, **of_input), stem="film")


def with_picture(**changes: object) -> Media:
    return replace(FILM, video=(replace(PICTURE, **changes),))  # type: ignore[arg-type]


def argv_of(media: Media, *outputs: object, **of_input: object) -> tuple[str, ...]:
    plans = plans_of(media, *outputs, **of_input)
    return encode_command(media, plans, source="source", threads=2).argv


def graph_of(media: Media, *outputs: object, **of_input: object) -> str:
    argv = argv_of(media, *outputs, **of_input)
    return argv[argv.index("-filter_complex") + 1]


def encoder_of(media: Media, output: object) -> tuple[str, ...]:
    """Return the words from the video encoder's name to the clock."""
    argv = argv_of(media, output)
    end = argv.index("-fps_mode:v") if "-fps_mode:v" in argv else len(argv)
    return argv[argv.index("-c:v") : end]


def joined_of(
    found: Sequence[Media],
    *outputs: object,
    join: object = None,
    of_inputs: Sequence[Mapping[str, object]] = (),
    others: Mapping[str, Media] | None = None,
) -> tuple[Film, tuple[OutputPlan, ...]]:
    """Return what inputs of one recipe make, and the plans of outputs of it."""
    said = of_inputs or [{}] * len(found)
    sources: list[dict[str, Any]] = [
        {"url": f"file:///{n}.mp4", **each} for n, each in enumerate(said)
    ]
    document: dict[str, object] = {"inputs": sources, "outputs": list(outputs)}
    if join is not None:
        document["join"] = join
    recipe = parse_recipe(document, load_presets())
    names = files_of(sources_of(recipe.model_dump(mode="json")))
    media = {**(others or {}), **{s["url"]: m for s, m in zip(sources, found, strict=True)}}
    film = film_of(media, recipe, names)
    return film, plan_outputs(film.media, recipe, stem="film")
