"""The whole graph of one run of FFmpeg: from what is read to what each encoder takes."""

from collections.abc import Mapping, Sequence

from media_nommer.core.media import VideoStream
from media_nommer.planning.extras.animations import AnimationPlan
from media_nommer.planning.extras.extras import drawn_plan
from media_nommer.planning.extras.sprites import SpritePlan
from media_nommer.planning.ffmpeg.encoders import all_filters
from media_nommer.planning.ffmpeg.filters import picture_graph
from media_nommer.planning.ffmpeg.looks import drawn
from media_nommer.planning.inputs.reading import Source
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.sounds.loudness import Levels

_JOINED = "joined"

#: The label of a picture for nobody, that moves on while a joined film is read.
LIFE = "life"


def whole_graph(
    source: Source,
    picture: VideoStream | None,
    outputs: Sequence[OutputPlan],
    levels: Levels,
    images: Mapping[str, int],
) -> str:
    """Return the graph that makes all ``outputs``, empty where none is needed.

    Of one file it draws the picture alone; what is joined comes with its sounds. ``images``
    are the numbers of the inputs with what is drawn over the picture, by their paths.
    """
    if isinstance(source, str):
        if picture is None or not any(drawn(output) for output in outputs):
            return ""
        return picture_graph(picture, outputs, images=images)
    sounds, chains = _sounds(outputs, levels)
    if picture is None and not sounds:
        return ""
    parts = [source.text(picture=_JOINED if picture else "", sounds=sounds), *chains]
    if picture is not None:
        parts += _drawn(picture, outputs, images, alive=are_late(outputs))
    return ";".join(parts)


def pictures_graph(
    source: Source,
    picture: VideoStream,
    outputs: Sequence[OutputPlan],
    images: Mapping[str, int],
    *,
    alive: bool,
) -> str:
    """Return the graph of the pictures of films alone; ``alive`` for one for nobody too."""
    if isinstance(source, str):
        return picture_graph(picture, outputs, images=images)
    joined = source.text(picture=_JOINED, sounds={})
    return ";".join((joined, *_drawn(picture, outputs, images, alive=alive)))


def sound_place(source: Source, key: str, stream: int) -> str:
    """Return where an output takes the sound from that is known by a ``key``."""
    return f"0:{stream}" if isinstance(source, str) else f"[a{key}]"


def are_late(outputs: Sequence[OutputPlan]) -> bool:
    """Say whether nothing comes of outputs until all of the film is decoded.

    Sheets and animations do so: without a word till then the encoder would be taken for
    one that hangs.
    """
    plans = [drawn_plan(output.extra) for output in outputs]
    late = any(isinstance(plan, SpritePlan | AnimationPlan) for plan in plans)
    return late and None not in plans


def _drawn(
    picture: VideoStream,
    outputs: Sequence[OutputPlan],
    images: Mapping[str, int],
    *,
    alive: bool,
) -> list[str]:
    """Return the parts from the joined picture to what each encoder takes."""
    if not alive:
        return [picture_graph(picture, outputs, decoded=_JOINED, images=images)]
    decoded = f"{_JOINED}0"
    return [
        f"[{_JOINED}]split[{decoded}][{LIFE}]",
        picture_graph(picture, outputs, decoded=decoded, images=images),
    ]


def _sounds(
    outputs: Sequence[OutputPlan], levels: Levels
) -> tuple[dict[int, list[str]], list[str]]:
    """Return the labels under which each sound is taken, and what is done to it there."""
    taken: dict[int, list[str]] = {}
    chains: list[str] = []
    for output in outputs:
        for key, audio in output.sounds:
            if audio.silent:
                continue
            taken.setdefault(audio.stream, []).append(f"t{key}")
            filters = ",".join(all_filters(audio, output.cut, levels.get(key)))
            chains.append(f"[t{key}]{filters}[a{key}]")
    return taken, chains
