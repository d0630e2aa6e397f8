"""Finishing what goes with a film: texts before the encode, documents after it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from media_nommer.core.errors import EncodeError, OutputDamaged
from media_nommer.core.media import Media
from media_nommer.core.ports.encoder import Encoder
from media_nommer.core.ports.probe import StreamCount
from media_nommer.ec2nommerd.nommers.texts import mend_texts, read_text
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.captions import check_captions, cues_in
from media_nommer.planning.extras.animations import (
    AnimationPlan,
    check_animation,
    webp_frames,
)
from media_nommer.planning.extras.extras import Extra, MetadataPlan, extra_paths
from media_nommer.planning.extras.posters import PosterPlan, chosen, measures_in
from media_nommer.planning.extras.sprites import SpritePlan
from media_nommer.planning.extras.waveforms import (
    WaveformPlan,
    as_json,
    as_png,
    check_peaks,
    peaks_in,
)
from media_nommer.planning.ffmpeg import peaks_commands, texts_command
from media_nommer.planning.inputs.joining import Film
from media_nommer.planning.inputs.reading import Source
from media_nommer.planning.pictures.sizes import Size
from media_nommer.planning.plan import OutputPlan
from media_nommer.planning.texts.subtitles import CaptionsPlan

Facts = dict[str, object]

#: Looks into one file that was made.
Look = Callable[[Path], tuple[Media, tuple[StreamCount, ...]]]


def fetch_texts(
    encoder: Encoder, work: Work, plans: Sequence[OutputPlan], film: Film
) -> None:
    """Bring the text that outputs need into scratch, read, mended and cut.

    Raises:
        EncodeError: the encoder cannot read it.
    """
    command = texts_command(plans, source=film.source, texts=film.texts)
    if command is None:
        return
    work.encode(encoder, command.argv)
    cut = next((plan.cut for plan in plans if plan.cut), None)
    mend_texts(command, work.scratch, cut, film.media.duration)


def measure_peaks(
    encoder: Encoder,
    work: Work,
    plans: Sequence[OutputPlan],
    *,
    source: Source,
    threads: int,
) -> None:
    """Have the peaks of waveforms measured, into files in scratch.

    Raises:
        EncodeError: the encoder cannot decode the sound.
    """
    for command in peaks_commands(plans, source=source, threads=threads):
        work.encode(encoder, command.argv)


def finish_extra(
    plan: OutputPlan, scratch: Path, document: Mapping[str, Any], look: Look
) -> Facts:
    """Make what the encoder could not, check all files of an output; return its facts.

    ``document`` is what is told of the source.

    Raises:
        OutputDamaged: the encoder left something other than planned.
    """
    assert plan.extra is not None
    index, paths = plan.index, _paths(plan.extra, plan.index, scratch)
    match plan.extra.plan:
        case CaptionsPlan() as captions:
            facts = _captions(captions, scratch / captions.track.path, paths[0])
        case SpritePlan() as sprite:
            facts = _sprite(sprite, plan.names, paths, look)
        case PosterPlan() as poster:
            facts = _poster(poster, scratch, index, paths[0], look)
        case WaveformPlan() as waveform:
            facts = _waveform(waveform, scratch / f"out-{index}.txt", paths)
        case AnimationPlan() as animation:
            facts = _animation(animation, paths[0], look)
        case MetadataPlan():
            text = json.dumps(document, indent=2, ensure_ascii=False)
            paths[0].write_text(f"{text}\n", encoding="utf-8")
            facts = {"format": "json"}
        case _:
            raise EncodeError(f"nothing makes outputs[{index}] of one source alone")
    return {**facts, "files": len(paths)}


def _paths(extra: Extra, index: int, scratch: Path) -> list[Path]:
    return [scratch / path for path in extra_paths(extra, index)]


def _captions(plan: CaptionsPlan, text: Path, path: Path) -> Facts:
    cues = cues_in(text.read_text(encoding="utf-8"))
    path.write_text(plan.written(cues), encoding="utf-8")
    webvtt = plan.format == "webvtt"
    check_captions(path.read_text(encoding="utf-8"), webvtt=webvtt, cues=len(cues))
    last = max((cue.end for cue in cues), default=0) / 1000
    return {
        "format": plan.format,
        "cues": len(cues),
        "language": plan.language,
        "duration": last,
    }


def _sprite(
    plan: SpritePlan, names: Sequence[str], paths: Sequence[Path], look: Look
) -> Facts:
    sheets = paths[1:]
    _check_there(sheets)
    for sheet in {sheets[0], sheets[-1]}:
        _check_picture(look, sheet, plan.sheet)
    called = tuple(name.rpartition("/")[2] for name in names[1:])
    paths[0].write_text(plan.map(called), encoding="utf-8")
    return {
        "format": "webvtt",
        "video": "mjpeg",
        "width": plan.tile.width,
        "height": plan.tile.height,
        "pictures": plan.count,
        "sheets": plan.sheets,
    }


def _poster(plan: PosterPlan, scratch: Path, index: int, path: Path, look: Look) -> Facts:
    found = measures_in(read_text(scratch / f"out-{index}.txt").decode())
    if not found:
        raise OutputDamaged("the encoder left no picture to choose from")
    number = chosen(found)
    candidate = scratch / f"out-{index}-{number + 1:06d}.jpg"
    _check_there([candidate])
    candidate.replace(path)
    _check_picture(look, path, plan.size)
    return {
        "format": "jpeg",
        "video": "mjpeg",
        "width": plan.size.width,
        "height": plan.size.height,
        "time": found[number].time,
    }


def _waveform(plan: WaveformPlan, measures: Path, paths: Sequence[Path]) -> Facts:
    _check_there([measures])
    with measures.open(encoding="ascii", errors="replace") as lines:
        peaks = peaks_in(lines, plan.channels)
    measures.unlink()
    check_peaks(plan, peaks)
    with paths[0].open("w", encoding="ascii") as file:
        file.writelines(as_json(plan, peaks))
    if plan.picture is not None:
        paths[1].write_bytes(as_png(plan.picture, peaks))
    return {
        "format": "json",
        "channels": plan.channels,
        "sample_rate": plan.sample_rate,
        "peaks": len(peaks),
    }


def _animation(plan: AnimationPlan, path: Path, look: Look) -> Facts:
    _check_there([path])
    if plan.format == "webp":  # of which the probe sees the first picture alone
        codec, (size, frames) = "webp", webp_frames(path.read_bytes())
    else:
        found, counts = look(path)
        most = max(counts, key=lambda count: count.packets)
        stream = next(s for s in found.video if s.index == most.index)
        codec, frames = stream.codec, most.packets
        size = Size(stream.width, stream.height)
    check_animation(plan, size, frames)
    return {
        "format": plan.format,
        "video": codec,
        "width": size.width,
        "height": size.height,
        "frames": frames,
        "duration": round(float(plan.frames / plan.rate), 3),
    }


def _check_there(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.is_file() or not path.stat().st_size:
            raise OutputDamaged(f"the encoder left no {path.name}")


def _check_picture(look: Look, path: Path, size: Size) -> None:
    picture = look(path)[0].picture
    if picture is None or (picture.width, picture.height) != (size.width, size.height):
        there = f"{picture.width}x{picture.height}" if picture else "no picture"
        raise OutputDamaged(
            f"planned a picture of {size.width}x{size.height}, the output has {there}"
        )
