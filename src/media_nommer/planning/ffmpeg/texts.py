"""The run that fetches the text of subtitles."""

from collections.abc import Sequence
from types import MappingProxyType

from media_nommer.planning.inputs.given_texts import Texts
from media_nommer.planning.inputs.reading import SOURCE, Source
from media_nommer.planning.plan import OutputPlan, drawings_of
from media_nommer.planning.texts.subtitles import (
    CaptionsPlan,
    TextCommand,
    Track,
    text_command,
)


def texts_command(
    outputs: Sequence[OutputPlan], *, source: Source, texts: Texts = MappingProxyType({})
) -> TextCommand | None:
    """Return the run that must come before ``encode_command``: none without text.

    ``texts`` are of the film that the outputs are made of. The files that the run leaves
    are read by us, and written anew before they are used.
    """
    captions = [
        output.extra.plan.track
        for output in outputs
        if output.extra and isinstance(output.extra.plan, CaptionsPlan)
    ]
    streamed = [
        each.track
        for output in outputs
        if output.adaptive
        for each in output.adaptive.texts
    ]
    found = dict.fromkeys(
        (*captions, *streamed, *kept_texts(outputs), *_burnt_texts(outputs))
    )
    place = source if isinstance(source, str) else SOURCE
    return text_command([*found], source=place, texts=texts)


def kept_texts(outputs: Sequence[OutputPlan]) -> list[Track]:
    """Return the text that is put into files, each once."""
    found = (each.track for output in outputs for each in output.subtitles)
    return [track for track in dict.fromkeys(found) if track is not None]


def _burnt_texts(outputs: Sequence[OutputPlan]) -> list[Track]:
    """Return the text that becomes a part of pictures."""
    found = (drawing.burnt for drawing in drawings_of(outputs))
    return [burnt.track for burnt in found if burnt and burnt.track]
