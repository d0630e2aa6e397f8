"""Reads media with PyAV. Only the probe child may import this: a bad file can crash it."""

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.logging
from av.container import InputContainer

from media_nommer.adapters.ffmpeg.formats import ALLOWED_DEMUXERS, MAX_STREAMS
from media_nommer.adapters.ffmpeg.looking import looked_at
from media_nommer.adapters.ffmpeg.streams import (
    audio_stream,
    other_stream,
    subtitle_stream,
    video_stream,
)
from media_nommer.adapters.ffmpeg.truncation import missing_bytes
from media_nommer.core.errors import NoStreams, NotMedia, TruncatedMedia
from media_nommer.core.media import (
    AudioStream,
    Media,
    OtherStream,
    SubtitleStream,
    VideoStream,
)
from media_nommer.core.ports.probe import StreamCount

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"v=0")


def inspect(fd: int, name: str) -> Media:
    """Return what the headers of an open file say; ``name`` is for messages.

    Raises:
        NotMedia: nothing that we allow reads it.
        NoStreams: it has no picture or sound that can be decoded.
        TruncatedMedia: it is cut short.
    """
    with _opened(fd, name) as container:
        _refuse_truncated(container, fd, name)
        still = container.format.name.endswith("_pipe")
        video: list[VideoStream] = []
        audio: list[AudioStream] = []
        subtitles: list[SubtitleStream] = []
        other: list[OtherStream] = []
        for stream in container.streams:
            known = stream.codec_context is not None
            if known and stream.type == "video":
                video.append(video_stream(stream, still))
            elif known and stream.type == "audio":
                audio.append(audio_stream(stream))
            elif known and stream.type == "subtitle":
                subtitles.append(subtitle_stream(stream))
            else:
                other.append(other_stream(stream))
        if not video and not audio:
            raise NoStreams(f"{name} holds no picture or sound that can be decoded")
        start, duration = container.start_time, container.duration
        pictures, sounds = looked_at(container, video, audio)
        return Media(
            format=container.format.name,
            size=os.fstat(fd).st_size,
            duration=None if still or duration is None else duration / av.time_base,
            start_time=(start or 0) / av.time_base,
            bit_rate=None if still else container.bit_rate or None,
            video=pictures,
            audio=sounds,
            subtitles=tuple(subtitles),
            other=tuple(other),
            title=_title(container),
        )


def _title(container: InputContainer) -> str | None:
    """Return the title; in Ogg it is told of a stream, not of the file."""
    told = container.metadata.get("title")
    if told is None and container.format.name == "ogg":
        told = next((t for s in container.streams if (t := s.metadata.get("title"))), None)
    return told


def count(fd: int, name: str) -> list[StreamCount]:
    """Walk over every packet of an open file.

    Raises:
        NotMedia: it cannot be read to its end.
        TruncatedMedia: it is cut short.
    """
    with _opened(fd, name) as container:
        _refuse_truncated(container, fd, name)
        walks = {stream.index: _Walk() for stream in container.streams}
        try:
            for packet in container.demux():
                if packet.size or packet.dts is not None:
                    walks[packet.stream_index].step(packet)
        except (av.FFmpegError, MemoryError) as error:
            raise NotMedia(f"{name} cannot be read to its end: {_reason(error)}") from error
        return [
            walks[stream.index].result(stream.index, stream.type, stream.time_base)
            for stream in container.streams
        ]


class _Walk:
    """What has been seen of one stream's packets."""

    def __init__(self) -> None:
        self.packets = self.keyframes = 0
        self.first: int | None = None
        self.end = 0
        self.last_dts: int | None = None
        self.monotonic = True

    def step(self, packet: Any) -> None:
        self.packets += 1
        self.keyframes += packet.is_keyframe
        dts = packet.dts
        if dts is not None:
            if self.last_dts is not None and dts <= self.last_dts:
                self.monotonic = False
            self.last_dts = dts
        pts = packet.pts
        if pts is None:
            pts = self.end if dts is None else dts
        if self.first is None:
            self.first = self.end = pts
        self.first = min(self.first, pts)
        self.end = max(self.end, pts + _signed(packet.duration or 0))

    def result(self, index: int, kind: str, time_base: Fraction | None) -> StreamCount:
        unit = time_base or Fraction(1, 1000)
        first = self.first or 0
        return StreamCount(
            index=index,
            kind=kind,
            packets=self.packets,
            keyframes=self.keyframes,
            first_pts=float(first * unit),
            duration=float((self.end - first) * unit),
            monotonic=self.monotonic,
            time_base=unit,
        )


@contextlib.contextmanager
def _opened(fd: int, name: str) -> Iterator[InputContainer]:
    """Open a file by its descriptor: no name, and no other file, is ever looked up."""
    options = {
        "fd": str(fd),
        "protocol_whitelist": "fd",
        "format_whitelist": ",".join(ALLOWED_DEMUXERS),
        "max_streams": str(MAX_STREAMS),
    }
    if os.pread(fd, 64, 0).lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(_PLAYLISTS):
        raise NotMedia(
            f"{name} is a playlist or text: it names media and holds none",
            advice="Send the media file itself.",
        )
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture(local=False) as said:
        try:
            container = av.open("fd:", options=options, metadata_errors="replace")
        except MemoryError as error:  # PyAV's own is one, too
            raise NotMedia(f"{name} needs more memory to read than it may use.") from error
        except av.FFmpegError as error:
            text = " ".join(message for _, _, message in said)
            if "moov atom not found" in text:
                raise TruncatedMedia(
                    f"{name} ends before its index: it is cut short"
                ) from error
            raise NotMedia(
                f"{name} is not in a format that media-nommer reads: {_reason(error)}"
            ) from error
        with container:
            yield container


def _signed(duration: int) -> int:
    """Return a duration that may be below nought: a short Vorbis ends before it began.

    FFmpeg reads it into a number without a sign.
    """
    return duration - 2**32 if 2**31 <= duration < 2**32 else duration


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:1].lower() + str(text)[1:]


def _refuse_truncated(container: InputContainer, fd: int, name: str) -> None:
    entries = [s.index_entries for s in container.streams]
    ends = [index[-1].pos + index[-1].size for index in entries if len(index)]
    if lacking := missing_bytes(fd, container.format.name, ends):
        raise TruncatedMedia(f"{name} is cut short: at least {lacking} bytes are missing")
