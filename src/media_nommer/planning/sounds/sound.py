"""What the sound of an output becomes: channels, sample rate and bitrate."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from media_nommer.core.media import LEAPING, AudioStream, Media
from media_nommer.core.recipes.codecs import (
    AUDIO_BIT_RATE,
    LOSSLESS,
    MOST_CHANNELS,
    SAMPLE_RATES,
    AudioCodec,
    AudioProfile,
    Container,
)
from media_nommer.core.recipes.documents import Audio
from media_nommer.planning.copying import check_copy
from media_nommer.planning.effects import NO_FADES, Fades, fades_of
from media_nommer.planning.sounds.loudness import Habits, Target, habits_of
from media_nommer.planning.titles import clean_title

_CHANNELS = (8, 6, 2, 1)  # layouts that every one of our encoders has a name for
_SHARE: Mapping[int, float] = {1: 0.625, 2: 1.0, 6: 2.5, 8: 3.5}
_FASTEST = 192_000  # hertz
_VORBIS = {1: (32, 240), 2: (48, 480), 6: (96, 640), 8: (256, 640)}
_CODEC_FRAME: Mapping[AudioCodec, int] = {
    "aac": 1024,
    "mp3": 1152,
    "opus": 960,
    "vorbis": 2048,
    "flac": 4608,
    "ac3": 1536,
    "eac3": 1536,
    "pcm": 1024,
    "copy": 4608,
}


#: The codec of a sound that is not in the source, and is silence.
SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPlan:
    """The sound of one file. ``bitrate`` is kbit/s, None of what is lossless or copied.

    ``sample_rate`` is hertz. ``duration`` is the seconds of sound that the source's own
    header gives, or None. A copy has ``source_codec``. With ``from_start`` there is silence
    before a sound that begins late. One that is ``silent`` is in no stream of the source.
    What is ``placed`` begins so many seconds after the source, and FFmpeg would forget it.
    """

    stream: int
    codec: AudioCodec
    channels: int
    sample_rate: int
    source_channels: int
    profile: AudioProfile | None = None
    bitrate: int | None = None
    bit_depth: Literal[16, 24] = 16
    loudness: Target | None = None
    language: str | None = None
    title: str | None = None
    duration: float | None = None
    from_start: bool = False
    fades: Fades = NO_FADES
    pace: float = 1.0
    source_codec: str | None = None
    silent: bool = False
    placed: float | None = None

    @property
    def holds(self) -> str:
        """The codec that the output holds, as FFmpeg calls it."""
        pcm = f"pcm_s{self.bit_depth}le" if self.codec == "pcm" else self.codec
        return self.source_codec or pcm

    @property
    def frame(self) -> float:
        """The seconds that one frame of the codec lasts."""
        halved = 2 if self.profile == "he" else 1  # inside, half the rate
        return halved * _CODEC_FRAME[self.codec] / self.sample_rate

    @property
    def habits(self) -> Habits:
        """What its encoder makes of its loudness and its peaks."""
        return habits_of(self.codec, self.bitrate)

    @property
    def most_kbits(self) -> float:
        """About the most kbit/s that it will be."""
        if self.bitrate is not None:
            return self.bitrate
        return self.channels * self.sample_rate * self.bit_depth / 1000


def plan_audio(
    media: Media, audio: Audio, container: Container, where: str
) -> AudioPlan | None:
    """Return the plan of the sound that ``where`` asks for, None where there is none.

    Raises:
        InvalidRecipe: the container cannot hold a copy of it, or its fades are longer.
    """
    stream = media.sound
    if stream is None:
        return None
    language = stream.language or ""
    told = language if re.fullmatch("[a-z]{3}", language) else None
    if audio.codec == "copy":
        check_copy(container, "audio", stream.codec, where)
        return AudioPlan(
            stream=stream.index,
            codec="copy",
            channels=stream.channels,
            source_channels=stream.channels,
            sample_rate=max(1, stream.sample_rate),
            language=told,
            title=clean_title(stream.title),
            duration=stream.duration,
            source_codec=stream.codec,
        )
    channels, rate = planned_channels(audio, stream), planned_rate(audio, stream)
    return AudioPlan(
        stream=stream.index,
        codec=audio.codec,
        channels=channels,
        source_channels=stream.channels,
        sample_rate=rate,
        profile=audio.profile,
        bitrate=planned_bitrate(audio, channels, rate),
        bit_depth=audio.bit_depth or 16,
        loudness=None if stream.codec == SILENCE else _target(audio),
        fades=fades_of(audio, stream.duration or media.duration, where),
        language=told,
        title=clean_title(stream.title),
        duration=stream.duration,
        silent=stream.codec == SILENCE,
        placed=place_of(stream, media),
    )


def place_of(stream: AudioStream, media: Media) -> float | None:
    """Return where a sound that is read by itself has to be put, None where it is there.

    Of what leaps FFmpeg counts times from the first stream that is used.
    """
    return stream.late if media.format in LEAPING else None


def placing_filters(place: float | None) -> tuple[str, ...]:
    """Return the filters that let a sound begin in its place."""
    return () if place is None else (f"asetpts=PTS-STARTPTS+{place:.6f}/TB",)


def _target(audio: Audio) -> Target | None:
    wanted = audio.loudness
    return None if wanted is None else Target(wanted.target, wanted.true_peak)


def planned_channels(audio: Audio, stream: AudioStream) -> int:
    """Return the channels to make: those asked for, never more than there are."""
    most = min(
        audio.channels or 8, max(1, stream.channels), MOST_CHANNELS.get(audio.codec, 8)
    )
    return next(count for count in _CHANNELS if count <= most)


def planned_rate(audio: Audio, stream: AudioStream) -> int:
    """Return the sample rate in hertz: as asked, or the source's where the codec has it.

    Rates above 48 kHz come down to the one they are a multiple of; Opus is always at
    48 kHz inside, whatever it is fed.
    """
    rate = audio.sample_rate or (48000 if audio.codec == "opus" else stream.sample_rate)
    rates = SAMPLE_RATES.get(audio.codec)
    if rates is None:
        return max(1, min(rate, _FASTEST))
    if rate in rates:
        return rate
    if rate > 48000:
        return 44100 if rate % 44100 == 0 else 48000
    return next((known for known in rates if known > rate), 48000)


def planned_bitrate(audio: Audio, channels: int, rate: int) -> int | None:
    """Return kbit/s: as asked or usual, within what the codec can do with this sound."""
    if audio.codec in LOSSLESS:
        return None
    usual = round(AUDIO_BIT_RATE[audio.codec] * _SHARE[channels])
    least, most = _bounds(audio.codec, channels, rate)
    if audio.profile == "he":
        usual, most = usual // 2, most // 2
    return max(least, min(audio.bitrate or usual, most))


def _bounds(codec: AudioCodec, channels: int, rate: int) -> tuple[int, int]:
    match codec:
        case "aac":  # 6144 bits a channel and frame
            return 8, channels * 6144 * rate // 1024 // 1000
        case "opus":
            return 8, 256 * channels  # libopus refuses more
        case "vorbis":
            return _VORBIS[channels]  # what libvorbis takes at 44.1 and 48 kHz
        case "ac3" | "eac3":
            return 32 * channels, 640
        case _:  # MPEG-1, -2 and -2.5
            return 8, 320 if rate >= 32000 else 160 if rate >= 16000 else 64
