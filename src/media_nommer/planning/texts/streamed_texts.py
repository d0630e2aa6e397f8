"""Which of a source's subtitles go along with an adaptive output, and as what."""

from dataclasses import dataclass

from media_nommer.core.media import Media, SubtitleStream
from media_nommer.planning.texts.subtitles import Track, told_language
from media_nommer.planning.titles import player_title

_MOST_TEXTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRendition:
    """One track of text in a file of its own, as WebVTT.

    ``key``, ``label`` and ``title`` are as of any rendition. At most one is the
    ``default``; ``forced`` ones are for those who want none, ``hearing_impaired`` ones tell
    of noises too.
    """

    key: str
    label: str
    title: str
    track: Track
    language: str | None = None
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False


def plan_texts(media: Media) -> tuple[TextRendition, ...]:
    """Return a rendition of each track of text; in pictures there is none."""
    made: list[TextRendition] = []
    for stream in [each for each in media.subtitles if each.is_text][:_MOST_TEXTS]:
        language = told_language(stream.language)
        made.append(
            TextRendition(
                key=f"s{len(made) + 1}",
                label=language or "",
                title=player_title(stream.title, _usual(stream), [t.title for t in made]),
                track=Track(stream=stream.index),
                language=language,
                default=stream.default and not any(each.default for each in made),
                forced=stream.forced,
                hearing_impaired=stream.hearing_impaired,
            )
        )
    return tuple(made)


def _usual(stream: SubtitleStream) -> str:
    """Return what a track is called that has no name: by what it is."""
    name = told_language(stream.language) or "subtitles"
    kinds = (("forced", stream.forced), ("SDH", stream.hearing_impaired))
    return name + "".join(f" ({kind})" for kind, is_so in kinds if is_so)
