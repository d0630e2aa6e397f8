"""What the sound of an output becomes: channels, sample rate and bitrate."""

from collections.abc import Mapping

from media_nommer.core.media import AudioStream
from media_nommer.core.recipes.codecs import AUDIO_BIT_RATE, AudioCodec
from media_nommer.core.recipes.documents import Audio

_CHANNELS = (8, 6, 2, 1)  # layouts that every one of our encoders has a name for
_SHARE: Mapping[int, float] = {1: 0.625, 2: 1.0, 6: 2.5, 8: 3.5}
_RATES: Mapping[AudioCodec, tuple[int, ...]] = {
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "opus": (8000, 12000, 16000, 24000, 48000),
}
CODEC_FRAME: Mapping[AudioCodec, int] = {"aac": 1024, "mp3": 1152, "opus": 960}
"""Samples in one frame of each codec, at its own sample rate."""


def planned_channels(audio: Audio, stream: AudioStream) -> int:
    """Return the channels to make: those asked for, never more than there are."""
    most = min(
        audio.channels or 8, max(1, stream.channels), 2 if audio.codec == "mp3" else 8
    )
    return next(count for count in _CHANNELS if count <= most)


def planned_rate(audio: Audio, stream: AudioStream) -> int:
    """Return the sample rate in hertz: as asked, or the source's where the codec has it.

    Rates above 48 kHz come down to the one they are a multiple of; Opus is always at
    48 kHz inside, whatever it is fed.
    """
    rate = audio.sample_rate or (48000 if audio.codec == "opus" else stream.sample_rate)
    rates = _RATES[audio.codec]
    if rate in rates:
        return rate
    if rate > 48000:
        return 44100 if rate % 44100 == 0 else 48000
    return next((known for known in rates if known > rate), 48000)


def planned_bitrate(audio: Audio, channels: int, rate: int) -> int:
    """Return kbit/s: as asked or usual, within what the codec can do with this sound."""
    usual = round(AUDIO_BIT_RATE[audio.codec] * _SHARE[channels])
    return max(8, min(audio.bitrate or usual, _most(audio.codec, channels, rate)))


def _most(codec: AudioCodec, channels: int, rate: int) -> int:
    if codec == "aac":
        return channels * 6144 * rate // 1024 // 1000  # 6144 bits a channel and frame
    if codec == "opus":
        return 256 * channels  # libopus refuses more
    return 320 if rate >= 32000 else 160 if rate >= 16000 else 64  # MPEG-1, -2 and -2.5
