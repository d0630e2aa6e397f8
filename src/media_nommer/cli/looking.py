"""`nommer presets`, `schema`, `probe`, `config`: looking and changing nothing."""

import json
import tempfile
from pathlib import Path

import typer

from media_nommer.cli.inputs import is_url, path_of, whole_path
from media_nommer.cli.tables import show_table
from media_nommer.cli.words import bytes_text, clock_text
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import UnsupportedUrl
from media_nommer.core.media import AudioStream, Media, SubtitleStream, VideoStream
from media_nommer.planning.extras.media_documents import media_document


def show_presets(*, as_json: bool) -> None:
    """Print every preset and what it makes."""
    from media_nommer.core.presets import load_presets

    presets = load_presets().values()
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "name": preset.name,
                        "description": preset.description,
                        "output": dict(preset.output),
                    }
                    for preset in presets
                ]
            )
        )
        return
    show_table(("preset", "what it makes"), [(p.name, p.description) for p in presets])


def show_schema() -> None:
    """Print the JSON Schema of a recipe file."""
    from media_nommer.core.presets import load_presets
    from media_nommer.core.recipes.schema import recipe_schema

    schema = recipe_schema(load_presets(), submitted=False)
    typer.echo(json.dumps(schema, indent=2, ensure_ascii=False))


def show_config(settings: Settings, *, as_json: bool) -> None:
    """Print every setting in force and where it came from."""
    from media_nommer.conf.reading import settings_with_sources

    rows = settings_with_sources(settings)
    if as_json:
        said = {name: {"value": value, "source": source} for name, value, source in rows}
        typer.echo(json.dumps(said))
        return
    show_table(("setting", "value", "from"), rows)


def show_media(file: str, *, as_json: bool) -> None:
    """Print what a media file holds.

    Raises:
        SourceNotFound, MediaError: there is no such file, or it is no media.
        UnsupportedUrl: it is not on this machine.
    """
    path = path_of(file) if is_url(file) else whole_path(file)
    if path is None:
        raise UnsupportedUrl(
            f"{file} is not on this machine", advice="Fetch it first, then probe the file."
        )
    media = _inspect(path)
    if as_json:
        typer.echo(json.dumps(media_document(media)))
        return
    typer.echo(_summary(path, media))
    show_table(("stream", "kind", "codec", "what", ">length"), _stream_rows(media))


def _inspect(path: Path) -> Media:
    from media_nommer.adapters.ffmpeg.launcher import Launcher
    from media_nommer.adapters.ffmpeg.probe import AvProbe

    with (
        tempfile.TemporaryDirectory(prefix="nommer-probe-") as scratch,
        Launcher(Path(scratch)) as launcher,
        AvProbe(launcher) as probe,
    ):
        return probe.examine(path)


def _summary(path: Path, media: Media) -> str:
    length = "length not known" if media.duration is None else clock_text(media.duration)
    rate = f", {media.bit_rate / 1000:,.0f} kbit/s" if media.bit_rate else ""
    title = f"\n{media.title}" if media.title else ""
    return f"{path}\n{media.format}, {length}, {bytes_text(media.size)}{rate}{title}"


def _stream_rows(media: Media) -> list[tuple[str, ...]]:
    rows: dict[int, tuple[str, ...]] = {}
    for video in media.video:
        kind = "cover" if video.attached_picture else "video"
        rows[video.index] = (kind, video.codec, _picture(video), _length(video.duration))
    for audio in media.audio:
        rows[audio.index] = ("audio", audio.codec, _sound(audio), _length(audio.duration))
    for text in media.subtitles:
        rows[text.index] = ("subtitles", text.codec, _subtitles(text), "")
    for other in media.other:
        rows[other.index] = (other.kind, other.codec or "", other.language or "", "")
    return [(str(index), *rows[index]) for index in sorted(rows)]


def _picture(stream: VideoStream) -> str:
    rate = stream.average_rate or stream.frame_rate
    words = [
        f"{stream.width}x{stream.height}",
        f"{float(rate):.5g} fps" if rate else "",
        f"{stream.bit_depth} bit" if stream.bit_depth != 8 else "",
        f"turned by {stream.rotation}°" if stream.rotation else "",
        f"pixels {stream.sample_aspect}" if stream.sample_aspect != 1 else "",
        "interlaced" if stream.interlaced else "",
        stream.color_transfer or "" if stream.bit_depth > 8 else "",
        f"{stream.frames} frames" if stream.frames else "",
    ]
    return ", ".join(word for word in words if word)


def _sound(stream: AudioStream) -> str:
    words = [
        stream.layout or f"{stream.channels} channels",
        f"{stream.sample_rate} Hz",
        stream.language or "",
        stream.title or "",
    ]
    return ", ".join(word for word in words if word)


def _subtitles(stream: SubtitleStream) -> str:
    words = [
        "" if stream.is_text else "pictures",
        stream.language or "",
        stream.title or "",
        "forced" if stream.forced else "",
        "for the hard of hearing" if stream.hearing_impaired else "",
    ]
    return ", ".join(word for word in words if word)


def _length(duration: float | None) -> str:
    return "" if duration is None else clock_text(duration)
