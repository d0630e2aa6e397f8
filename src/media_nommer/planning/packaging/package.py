"""All files of an adaptive output, in the order in which they are put in their places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeAlias

from media_nommer.planning.packaging.dash import manifest
from media_nommer.planning.packaging.hls import (
    key_frames_playlist,
    master_playlist,
    media_playlist,
    target_duration,
)
from media_nommer.planning.packaging.hls_lines import whole_key
from media_nommer.planning.packaging.hls_texts import text_playlist
from media_nommer.planning.packaging.licences import key_lines, licence_of
from media_nommer.planning.packaging.names import (
    file_name,
    header_name,
    key_frames_name,
    key_name,
    playlist_name,
    segment_name,
)
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.segments import encrypted_whole, mean_bits, peak_bits
from media_nommer.planning.packaging.texts import PackedText, text_name
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.streaming.adaptive import AdaptivePlan


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that is so many bytes of a rendition's file: all of it without a ``size``.

    With a ``number`` it is the rendition's segment of MPEG-TS, counted from 1. One that is
    ``locked`` is encrypted whole, as the segment of this number, from 0.
    """

    name: str
    rendition: str
    offset: int = 0
    size: int | None = None
    number: int = 0
    locked: int | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """A file that is a text; a ``locked`` one as a ``Piece`` is."""

    name: str
    text: str
    locked: int | None = None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that is the key of all that is locked."""

    name: str


Packing: TypeAlias = Piece | Writing | KeyFile


def package(
    output: OutputPlan,
    made: Sequence[Packed],
    texts: Sequence[PackedText] = (),
    *,
    publication: str = "",
) -> tuple[Packing, ...]:
    """Return the files of an adaptive output: segments first, and its manifests last.

    So who reads a manifest always finds all that it names.
    """
    assert output.adaptive is not None
    plan, folder = output.adaptive, PurePosixPath(output.names[0]).parent
    target = target_duration(made)
    files: list[Packing] = []
    if plan.encryption is not None and plan.encryption.publish_key:
        files.append(KeyFile(key_name(publication)))
    files += [piece for each in made for piece in _pieces(each, plan)]
    lock = 0 if _whole(plan) else None
    files += [Writing(text_name(each.base), each.text, lock) for each in texts]
    if _whole(plan):
        made = [replace(m, segments=encrypted_whole(m.segments)) for m in made]
    if "hls" in plan.formats:
        whole = _whole_key(plan, publication)
        files += [
            Writing(playlist_name(each.base), text_playlist(each, whole)) for each in texts
        ]
        files += [text for each in made for text in _playlists(each, plan, target, whole)]
    beside = [_moved(file, folder) for file in files]
    return (*beside, *_manifests(output, made, texts, target))


def rendition_facts(packed: Packed, target: int) -> dict[str, object]:
    """Return what to tell people of one rendition."""
    video, audio = packed.rendition.video, packed.rendition.audio
    facts: dict[str, object] = {
        "name": packed.rendition.title,
        "codecs": packed.codec,
        "bandwidth": peak_bits(packed.segments, target),
        "average_bandwidth": mean_bits(packed.segments),
        "size": sum(part.size for part in packed.segments),
    }
    if video is not None:
        facts |= {"video": video.holds, "width": video.width, "height": video.height}
    if audio is not None:
        facts |= {"audio": audio.holds, "channels": audio.channels}
        facts |= {"language": audio.language} if audio.language else {}
    return facts


def text_facts(packed: PackedText) -> dict[str, object]:
    """Return what to tell people of one track of subtitles."""
    told = packed.rendition
    facts: dict[str, object] = {"name": told.title, "cues": packed.cues}
    flags = ("default", "forced", "hearing_impaired")
    facts |= {name: True for name in flags if getattr(told, name)}
    return facts | ({"language": told.language} if told.language else {})


def _pieces(packed: Packed, plan: AdaptivePlan) -> Iterator[Piece]:
    key, base = packed.rendition.key, packed.base
    if plan.segments == "ranges":
        yield Piece(file_name(base, sound=packed.rendition.video is None), key)
        return
    ts = plan.segments == "ts"
    if not ts:
        yield Piece(header_name(base), key, 0, packed.file.header)
    for number, part in enumerate(packed.segments, start=1):
        name = segment_name(base, number, ts=ts)
        lock = number - 1 if _whole(plan) else None
        yield Piece(name, key, part.offset, part.size, number if ts else 0, lock)


def _whole(plan: AdaptivePlan) -> bool:
    return plan.encryption is not None and plan.encryption.whole


def _whole_key(plan: AdaptivePlan, publication: str) -> list[str]:
    """Return the line that tells of the key of files that are encrypted whole."""
    if plan.encryption is None or not plan.encryption.whole:
        return []
    return [whole_key(plan.encryption.key_url or key_name(publication))]


def _wound(plan: AdaptivePlan) -> bool:
    """Say whether key frames can be fetched alone, as out of files encrypted whole not."""
    return plan.segments != "ts" and not _whole(plan)


def _playlists(
    packed: Packed, plan: AdaptivePlan, target: int, whole: Sequence[str]
) -> Iterator[Writing]:
    licence = licence_of(plan.encryption, sound=packed.rendition.video is None)
    keys = key_lines(licence) if licence else whole
    text = media_playlist(packed, target, segments=plan.segments, keys=keys)
    yield Writing(playlist_name(packed.base), text)
    if packed.rendition.video and _wound(plan):
        text = key_frames_playlist(packed, target, segments=plan.segments, keys=keys)
        yield Writing(key_frames_name(packed.base), text)


def _manifests(
    output: OutputPlan, made: Sequence[Packed], texts: Sequence[PackedText], target: int
) -> Iterator[Writing]:
    plan = output.adaptive
    assert plan is not None
    for kind, name in zip(plan.formats, output.names, strict=True):
        if kind == "dash":
            how = plan.encryption
            text = manifest(
                made, target, segments=plan.segments, texts=texts, encryption=how
            )
        else:
            text = master_playlist(made, target, key_frames=_wound(plan), texts=texts)
        yield Writing(name, text)


def _moved(file: Packing, folder: PurePosixPath) -> Packing:
    name = str(folder / file.name)
    return replace(file, name=name)
