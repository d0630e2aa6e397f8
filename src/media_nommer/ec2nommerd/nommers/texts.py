"""The text of subtitles: mended after the encoder fetched it, and packed for players."""

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from media_nommer.core.errors import OutputDamaged
from media_nommer.planning.captions import (
    SILENT,
    Cue,
    as_srt,
    check_captions,
    cues_in,
    decoded,
    paced,
)
from media_nommer.planning.inputs.cutting import Cut
from media_nommer.planning.packaging.names import base_name
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.texts import PackedText, packed_text
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.texts.streamed_texts import TextRendition
from media_nommer.planning.texts.subtitles import TextCommand, Track, cut_cues

#: Of text that is read whole; all the words of a long film are a hundredth of it.
_MOST_TEXT = 64 * 1024 * 1024


def mend_texts(
    command: TextCommand, scratch: Path, cut: Cut | None, length: float | None
) -> None:
    """Write anew what an encoder left of the tracks of ``command``, read and cut by us."""
    for track in command.tracks:
        cues = paced(cut_cues(_cues(command, track, scratch), cut, length), track.pace)
        text = as_srt(cues) or SILENT
        (scratch / track.path).write_text(text, encoding="utf-8")


def _cues(command: TextCommand, track: Track, scratch: Path) -> tuple[Cue, ...]:
    """Return what an encoder left of a track, whose parts come one after the other."""
    if track.stream not in command.parts:
        return cues_in(decoded(read_text(scratch / track.path)))
    found: list[Cue] = []
    for number, part in enumerate(command.parts[track.stream]):
        text = decoded(read_text(scratch / track.part_path(number)))
        found += part.shown(cues_in(text))
    return tuple(sorted(found, key=lambda cue: (cue.start, cue.end)))


def packed_texts(
    output: OutputPlan, made: Sequence[Packed], scratch: Path, publication: str
) -> list[PackedText]:
    """Return the subtitles of an adaptive output, whose text is in scratch.

    Raises:
        OutputDamaged: what would be published is not what was read.
    """
    assert output.adaptive is not None
    length = max(each.length for each in made)
    ts = output.adaptive.segments == "ts"
    return [
        _packed(each, base_name(each, publication), scratch, length, ts=ts)
        for each in output.adaptive.texts
    ]


def read_text(path: Path) -> bytes:
    """Return what the encoder left, which is nothing where a stream has no packets.

    Raises:
        OutputDamaged: it is larger than any text is.
    """
    with suppress(FileNotFoundError):
        if path.stat().st_size > _MOST_TEXT:
            raise OutputDamaged(f"the encoder left {path.name} larger than any text is")
        return path.read_bytes()
    return b""


def _packed(
    rendition: TextRendition, base: str, scratch: Path, length: Fraction, *, ts: bool
) -> PackedText:
    cues = cues_in((scratch / rendition.track.path).read_text(encoding="utf-8"))
    packed = packed_text(rendition, base, cues, length, ts=ts)
    check_captions(packed.text, webvtt=True, cues=len(cues))
    return packed
