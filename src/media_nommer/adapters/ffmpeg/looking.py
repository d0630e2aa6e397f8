"""What only packets and frames show of streams: how they are turned, and when they begin.

Loads PyAV, so only the probe child may import it.
"""

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import av
from av.container import InputContainer

from media_nommer.adapters.ffmpeg.streams import audio_stream
from media_nommer.core.media import LEAPING, AudioStream, VideoStream

#: Bytes that are read for sounds that have not begun yet.
MOST_READ = 256 * 1024**2

_MAX_LOOKED_AT = 8192 * 8192
_PACKETS_FOR_A_FRAME = 300
_LATE = 0.02  # seconds: what begins as much after its file begins late
_INDEXED = ("mov",)  # formats whose headers tell when a stream begins


def looked_at(
    container: InputContainer, video: Sequence[VideoStream], audio: Sequence[AudioStream]
) -> tuple[tuple[VideoStream, ...], tuple[AudioStream, ...]]:
    """Return the streams with what their first packets show, read in one go.

    Of pictures it is the rotation, and fields that headers hide. Of sounds it is when they
    begin, and what they are where FFmpeg's own look ended before they began.
    """
    look = _Look(container, video, audio)
    streams: list[Any] = [s for s in container.streams if s.index in look.wanted]
    for stream in streams:
        stream.thread_count = 1
    packets = container.demux() if streams else iter(())
    with contextlib.suppress(av.FFmpegError, MemoryError):
        for packet in packets:
            look.step(packet)
            if not look.wanted:
                break
    pictures = tuple(look.video[known.index] for known in video)
    return pictures, tuple(look.heard(known.index) for known in audio)


class _Look:
    """What has been seen so far, and the streams that are ``wanted`` yet."""

    def __init__(
        self,
        container: InputContainer,
        video: Sequence[VideoStream],
        audio: Sequence[AudioStream],
    ) -> None:
        self._start = (container.start_time or 0) / av.time_base
        self._leaps = container.format.name in LEAPING
        self.video = {known.index: known for known in video}
        self._audio = {known.index: known for known in audio}
        self._unknown = {a.index for a in audio if not _is_told(container.streams[a.index])}
        told = any(name in container.format.name for name in _INDEXED)
        begins = set() if told else {known.index for known in audio}
        self.wanted = self._unknown | begins | {v.index for v in video if _is_seen(v)}
        self._read = 0
        self._tried: Counter[int] = Counter()

    def step(self, packet: Any) -> None:
        """Take the next packet of the file."""
        index = packet.stream_index
        self._read += packet.size
        if index in self.wanted:
            self._tried[index] += 1
            if index in self.video:
                self._see(packet)
            elif packet.pts is not None:
                self._hear(packet)
        if self._tried[index] >= _PACKETS_FOR_A_FRAME:
            self.wanted.discard(index)
        if self._read > MOST_READ:
            self.wanted.clear()

    def heard(self, index: int) -> AudioStream:
        """Return a sound with by how much it is late."""
        known = self._audio[index]
        late = 0.0 if known.start_time is None else known.start_time - self._start
        return replace(known, late=late) if late > _LATE else known

    def _see(self, packet: Any) -> None:
        """Learn how a picture is turned, and whether it is made of fields."""
        index = packet.stream_index
        if not (frames := _decoded(packet)):
            return
        turned = round(-frames[0].rotation / 90) * 90 % 360
        fields = self.video[index].interlaced or frames[0].interlaced_frame
        self.video[index] = replace(self.video[index], rotation=turned, interlaced=fields)
        self.wanted.discard(index)

    def _hear(self, packet: Any) -> None:
        """Learn when a sound begins: of some, that is when its first frame can be heard."""
        index, begins = packet.stream_index, _time(packet)
        known = self._audio[index]
        unknown = index in self._unknown
        if unknown or (self._leaps and begins - self._start > _LATE):
            if not (frames := _decoded(packet)):
                return
            begins = begins if frames[0].time is None else frames[0].time
        heard = audio_stream(packet.stream) if unknown else known
        self._audio[index] = self._begun(known, heard, begins)
        self.wanted.discard(index)

    def _begun(self, told: AudioStream, found: AudioStream, begins: float) -> AudioStream:
        """Return what was found of a sound, with the begin that headers may not tell.

        Until a sound begins, FFmpeg takes it for as long as its file.
        """
        start, length = told.start_time, told.duration
        if begins - (self._start if start is None else start) <= _LATE:
            return replace(found, start_time=start, duration=length)
        if start is not None and length is not None:
            length = max(0.0, length - (begins - start))
        return replace(found, start_time=begins, duration=length)


def _time(packet: Any) -> float:
    return float((packet.pts or 0) * packet.time_base)


def _is_told(stream: Any) -> bool:
    """Say whether FFmpeg knows what a sound is."""
    codec = stream.codec_context
    return bool(codec.format and codec.sample_rate and codec.layout.nb_channels)


def _is_seen(stream: VideoStream) -> bool:
    """Say whether a picture is to be decoded."""
    size = stream.width * stream.height
    return not stream.attached_picture and 0 < size <= _MAX_LOOKED_AT


def _decoded(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []  # the next one may do
