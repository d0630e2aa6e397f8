"""What jobs came to: the table of outputs, and the document that --json prints."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from media_nommer.cli.inputs import path_of
from media_nommer.cli.tables import show_table
from media_nommer.cli.words import bytes_text, clock_text, count_text, speed_text, took_text
from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import Job, Output, PublishedFile
from media_nommer.planning.reports import warnings_of

COLUMNS = ("file", "what", ">length", ">size", ">took", ">speed")

_NAMES = {
    "h264": "H.264",
    "hevc": "HEVC",
    "prores": "ProRes",
    "dnxhd": "DNxHR",
    "ffv1": "FFV1",
    "vp9": "VP9",
    "av1": "AV1",
    "mjpeg": "JPEG",
    "aac": "AAC",
    "mp3": "MP3",
    "mp3float": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "flac": "FLAC",
    "ac3": "AC-3",
    "eac3": "E-AC-3",
    "pcm_s16le": "PCM",
    "pcm_s24le": "PCM",
    "gif": "GIF",
    "webp": "WebP",
}

#: Of outputs that are neither picture nor sound.
_FORMATS = {"webvtt": "WebVTT", "srt": "SubRip", "json": "JSON", "sha256": "SHA-256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A job that has ended, what to call it, and the seconds that it took."""

    job: Job
    label: str
    seconds: float


def show_outputs(ended: Sequence[Ended]) -> None:
    """Print the table of all outputs that are in place; nothing where there are none."""
    rows: list[tuple[str, ...]] = []
    for one in ended:
        for output in one.job.outputs:
            if output.state == "finished":
                speed = speed_text(_speed(output.facts, one.seconds))
                first, *others = _rows(output)
                rows.append((*first, took_text(one.seconds), speed))
                rows += [(*row, "", "") for row in others]
    if rows:
        show_table(COLUMNS, rows)


def show_warnings(ended: Ended) -> None:
    """Print what outputs that are in place do not come to, to standard error."""
    for output in ended.job.outputs:
        if output.state == "finished":
            for warning in warnings_of(output):
                typer.echo(f"warning: {output.name}: {warning}", err=True)


def job_document(ended: Ended) -> dict[str, Any]:
    """Return what came of one job as feederd's API would say it, and ``seconds``."""
    from media_nommer.feederd.views import JobView

    document = JobView.of(ended.job, ()).model_dump(mode="json", exclude={"links"})
    return {**document, "seconds": round(ended.seconds, 3)}


def write_text(path: Path, text: str) -> None:
    """Write a file that somebody named.

    Raises:
        BadRequest: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Check that a file could be written, as far as its folder tells.

    Raises:
        BadRequest: it could not.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        why = "it is a folder" if path.is_dir() else f"{folder} is no folder of yours"
        raise BadRequest(f"{path} cannot be written: {why}")


def what_text(facts: Mapping[str, Any]) -> str:
    """Return what an output is, from its facts: ``H.264 1280x720 + AAC``."""
    video, audio = facts.get("video"), facts.get("audio")
    picture = f"{_name_of(video)} {facts.get('width')}x{facts.get('height')}"
    parts = [picture] * bool(video) + [_name_of(audio)] * bool(audio)
    return " + ".join(parts) or _FORMATS.get(str(facts.get("format")), "")


def _name_of(codec: object) -> str:
    return _NAMES.get(str(codec), str(codec))


def length_text(facts: Mapping[str, Any]) -> str:
    """Return an output's length as a clock; nothing where its facts do not tell."""
    duration = facts.get("duration")
    return clock_text(duration) if isinstance(duration, int | float) else ""


def _stream_text(stream: Mapping[str, Any]) -> str:
    codec = str(stream.get("codec", ""))
    size = f" {stream['width']}x{stream['height']}" if "width" in stream else ""
    return _NAMES.get(codec, codec) + size


def _rows(output: Output) -> Iterable[tuple[str, str, str, str]]:
    """Return the first four cells of an output's rows: many pictures are one row."""
    if isinstance(told := output.facts.get("renditions"), Sequence):
        return [_manifests_row(output), *map(_rendition_row, told)]
    what, length = what_text(output.facts), length_text(output.facts)
    size = sum(file.size for file in output.files)
    name = _name(output.files[0]) if output.files else output.name
    if len(output.files) > 1:
        name, what = f"{name} …", f"{count_text(len(output.files), 'file')} {what}".rstrip()
    return [(name, what, length, bytes_text(size))]


def _manifests_row(output: Output) -> tuple[str, str, str, str]:
    """Return the row of an adaptive output: where players begin, and what all is."""
    names = [_name(file) for file in output.files if not file.own]
    formats = str(output.facts.get("format", "")).upper().replace("+", " + ")
    what = f"{formats}, {count_text(len(output.files), 'file')}"
    size = sum(file.size for file in output.files)
    return ", ".join(names), what, length_text(output.facts), bytes_text(size)


def _rendition_row(told: Mapping[str, Any]) -> tuple[str, str, str, str]:
    megabits = float(told.get("bandwidth", 0)) / 1_000_000
    what = f"{what_text(told)}, up to {megabits:.2f} Mbit/s"
    return f"  {told.get('name', '')}", what, "", bytes_text(int(told.get("size", 0)))


def _speed(facts: Mapping[str, Any], seconds: float) -> float | None:
    duration = facts.get("duration")
    if not isinstance(duration, int | float) or seconds <= 0:
        return None
    return duration / seconds


def _name(file: PublishedFile) -> str:
    """Return a file's path, from the current folder where it lies below that."""
    path = path_of(file.url)
    if path is None:
        return file.url
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
