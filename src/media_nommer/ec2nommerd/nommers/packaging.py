"""Packaging adaptive outputs: from encoded renditions to all files that are published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from media_nommer.core.errors import MediaError, OutputDamaged
from media_nommer.core.fragments import FragmentedFile
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import Probe
from media_nommer.core.recipes.encryption import Encryption
from media_nommer.ec2nommerd.nommers.locking import NO_LOCKS, FramesLock, Locks, WholeLock
from media_nommer.ec2nommerd.nommers.segmenting import cut_out
from media_nommer.ec2nommerd.nommers.texts import packed_texts
from media_nommer.planning.ffmpeg import Produced
from media_nommer.planning.packaging.checking import check_index, check_renditions
from media_nommer.planning.packaging.hls import target_duration
from media_nommer.planning.packaging.index import index_bytes, index_place
from media_nommer.planning.packaging.names import base_name, publication_id
from media_nommer.planning.packaging.package import (
    KeyFile,
    Packing,
    Piece,
    Writing,
    package,
    rendition_facts,
    text_facts,
)
from media_nommer.planning.packaging.packed import Packed
from media_nommer.planning.packaging.segments import segments_of
from media_nommer.planning.packaging.transport import (
    check_transport,
    frames_in,
    transport_command,
    with_transport_sizes,
)
from media_nommer.planning.plan import OutputPlan, renditions_of
from media_nommer.planning.streaming.adaptive import AdaptivePlan, check_count

#: Looks into one encoded file, holds it against its plan, and returns what was found.
Look = Callable[[OutputPlan, Path], Media]


@dataclass(frozen=True, slots=True)
class Packaged:
    """The files of an adaptive output in the order of publication, and its renditions."""

    files: tuple[Produced, ...]
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class Bench:
    """What packaging works with.

    ``attempt`` is like no other's; names are made of it. ``encode`` runs the encoder in
    ``scratch``. ``locks`` encrypts what is published, where it can.
    """

    probe: Probe
    scratch: Path
    attempt: str
    look: Look
    encode: Callable[[Sequence[str]], None]
    locks: Locks = NO_LOCKS


def package_output(bench: Bench, output: OutputPlan) -> Packaged:
    """Check the renditions of an output, make their segments, and write its manifests.

    Raises:
        OutputDamaged: the encoder left something other than planned.
        InvalidRecipe: it has more segments than a job's record can hold files.
    """
    assert output.adaptive is not None
    publication = publication_id(bench.attempt, output.index)
    made = [
        _packed(bench, part, output.adaptive, publication) for part in renditions_of(output)
    ]
    check_renditions(output.adaptive, made)
    if framed := _framed(output.adaptive):
        frames = bench.locks.frames(framed, bench.scratch)
        made = [_locked(bench, frames, output, each) for each in made]
        check_renditions(output.adaptive, made)
    texts = packed_texts(output, made, bench.scratch, publication)
    files = package(output, made, texts, publication=publication)
    check_count(len(files), f"outputs[{output.index}]")
    if output.adaptive.segments == "ts":
        made = [_transported(bench, output, each) for each in made]
    else:
        for each in made:
            _write_index(bench, output, each)
    lock = bench.locks.whole(output.adaptive.encryption)
    kept = tuple(
        _written(output, number, file, bench.scratch, lock)
        for number, file in enumerate(package(output, made, texts, publication=publication))
    )
    facts = _facts(output, made)
    if output.adaptive.encryption is not None:
        facts["encryption"] = output.adaptive.encryption.scheme
    if texts:
        facts["subtitles"] = [text_facts(each) for each in texts]
    return Packaged(kept, {**facts, "files": len(kept)})


def rendition_path(output: OutputPlan, key: str) -> str:
    """Return what a rendition's file is called in scratch, as the encoder left it."""
    return f"out-{output.index}-{key}.mp4"


def published_path(output: OutputPlan, key: str) -> str:
    """Return what that is called which is published of it: with its frames encrypted."""
    assert output.adaptive is not None
    if _framed(output.adaptive):
        return f"out-{output.index}-{key}-locked.mp4"
    return rendition_path(output, key)


def transport_path(output: OutputPlan, key: str, number: int) -> str:
    """Return what a rendition's segment of MPEG-TS is called in scratch."""
    return f"out-{output.index}-{key}-{number:06d}.ts"


def _packed(bench: Bench, part: OutputPlan, plan: AdaptivePlan, publication: str) -> Packed:
    rendition = part.rendition
    assert rendition is not None
    path = bench.scratch / rendition_path(part, rendition.key)
    media = bench.look(part, path)
    file = _fragments(bench.probe, path)
    return Packed(
        rendition=rendition,
        base=base_name(rendition, publication),
        media=media,
        file=file,
        segments=segments_of(file, plan.segment),
    )


def _fragments(probe: Probe, path: Path) -> FragmentedFile:
    try:
        return probe.fragments(path)
    except MediaError as error:
        raise OutputDamaged(f"the encoder left {path.name} damaged: {error}") from error


def _transported(bench: Bench, output: OutputPlan, packed: Packed) -> Packed:
    """Copy a rendition into segments of MPEG-TS, and count the frames of each."""
    key = packed.rendition.key
    pattern = transport_path(output, key, 0).replace("000000", "%06d")
    frames = frames_in(packed.file, packed.segments)
    bench.encode(transport_command(frames, rendition_path(output, key), pattern))
    paths = sorted(bench.scratch.glob(pattern.replace("%06d", "*")))
    sized = with_transport_sizes(packed, [path.stat().st_size for path in paths])
    for number, (path, wanted) in enumerate(zip(paths, frames, strict=True), start=1):
        try:
            check_transport(packed, number, wanted, bench.probe.count(path))
        except MediaError as error:
            raise OutputDamaged(f"the segment {path.name} is damaged: {error}") from error
    return sized


def _framed(plan: AdaptivePlan) -> Encryption | None:
    """Return how frames are encrypted, None where they are not."""
    wanted = plan.encryption
    return None if wanted is None or wanted.whole else wanted


def _locked(bench: Bench, frames: FramesLock, output: OutputPlan, packed: Packed) -> Packed:
    """Encrypt the frames of a rendition; its fragments and times stay what they are."""
    key, plan = packed.rendition.key, output.adaptive
    assert plan is not None
    target = published_path(output, key)
    frames.encrypt(packed, rendition_path(output, key), target)
    file = _fragments(bench.probe, bench.scratch / target)
    same = replace(file, entry=packed.file.entry, config=packed.file.config)
    return replace(packed, file=same, segments=segments_of(file, plan.segment))


def _write_index(bench: Bench, output: OutputPlan, packed: Packed) -> None:
    """Put an index of segments in the place of the encoder's, and see that it stands."""
    path = bench.scratch / published_path(output, packed.rendition.key)
    with path.open("r+b") as file:
        file.seek(packed.file.index_offset)
        file.write(index_bytes(packed.file, packed.segments))
    after = _fragments(bench.probe, path)
    check_index(packed.file, after)
    if index_place(packed.file, packed.segments) != (
        *(after.index_offset, after.index_offset + after.index_size - 1),
    ):
        raise OutputDamaged(f"the index of {path.name} is not where it should be")


def _written(
    output: OutputPlan,
    number: int,
    file: Packing,
    scratch: Path,
    lock: WholeLock | None,
) -> Produced:
    """Bring one file about in scratch, under a name of ours, encrypted if it is to be."""
    made = Produced(
        output.index,
        _path_of(output, number, file),
        file.name,
        own=file.name not in output.names,
    )
    path = scratch / made.path
    if isinstance(file, Writing):
        path.write_text(file.text, encoding="utf-8")
    elif isinstance(file, KeyFile):
        assert lock is not None
        path.write_bytes(lock.key)
        return made
    elif file.size is not None and not file.number:
        whole = scratch / published_path(output, file.rendition)
        cut_out(whole, path, offset=file.offset, size=file.size)
    if file.locked is not None:
        assert lock is not None
        lock.encrypt(path, file.locked)
    return made


def _path_of(output: OutputPlan, number: int, file: Packing) -> str:
    if isinstance(file, Piece) and file.number:
        return transport_path(output, file.rendition, file.number)
    if isinstance(file, Piece) and file.size is None:
        return published_path(output, file.rendition)
    return f"out-{output.index}-{number:06d}.{file.name.rpartition('.')[2]}"


def _facts(output: OutputPlan, made: Sequence[Packed]) -> dict[str, object]:
    """Return what to tell people of the whole output: its best picture and its sound."""
    assert output.adaptive is not None
    target = target_duration(made)
    told = [rendition_facts(each, target) for each in made]
    facts: dict[str, object] = {"format": "+".join(output.adaptive.formats)}
    pictures = [each for each in made if each.rendition.video]
    for each, about in zip(made, told, strict=True):
        if each in (pictures[:1] or made[:1]) or "audio" in about:
            wanted = ("video", "width", "height", "audio", "channels")
            facts = {**{k: about[k] for k in wanted if k in about}, **facts}
    if pictures:
        facts["frames"] = sum(each.frames for each in pictures[0].file.fragments)
    facts["duration"] = round(float(max(each.length for each in made)), 3)
    return {**facts, "renditions": told}
