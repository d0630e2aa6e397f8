"""What a recipe asks of a sound, and what in it contradicts itself."""

from collections.abc import Iterator

from media_nommer.core.recipes.codecs import (
    LOSSLESS,
    MOST_CHANNELS,
    MOST_KBITS,
    SAMPLE_RATES,
)
from media_nommer.core.recipes.documents import Audio

#: The rates that a recipe may name; sources may have others.
_NAMEABLE = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000)


def sound_problems(audio: Audio, path: str) -> list[str]:
    """Return a sentence for each thing that the codec does not have."""
    if audio.codec == "copy":
        return list(_copy_problems(audio, path))
    if audio.profile is not None and audio.codec != "aac":
        return [f"{path}.profile: is for aac, not for {audio.codec}"]
    return [*_amount_problems(audio, path), *_rate_problems(audio, path)]


def _copy_problems(audio: Audio, path: str) -> Iterator[str]:
    for name, field in Audio.model_fields.items():
        if name != "codec" and getattr(audio, name) != field.default:
            yield f"{path}.{name}: copy takes the sound as it is; choose a codec"


def _amount_problems(audio: Audio, path: str) -> Iterator[str]:
    codec = audio.codec
    channels, kbits = MOST_CHANNELS.get(codec, 8), MOST_KBITS.get(codec, 640)
    if audio.channels and audio.channels > channels:
        yield f"{path}.channels: {codec} has at most {channels}, not {audio.channels}"
    if audio.bitrate and codec in LOSSLESS:
        yield f"{path}.bitrate: {codec} loses nothing, so it has none"
    elif audio.bitrate and audio.bitrate > kbits:
        yield f"{path}.bitrate: {codec} has at most {kbits} kbit/s, not {audio.bitrate}"
    if audio.bit_depth and codec not in LOSSLESS:
        yield f"{path}.bit_depth: is for {' and '.join(LOSSLESS)}, not for {codec}"


def _rate_problems(audio: Audio, path: str) -> Iterator[str]:
    rates = SAMPLE_RATES.get(audio.codec)
    if audio.sample_rate and rates and audio.sample_rate not in rates:
        allowed = ", ".join(str(rate) for rate in rates if rate in _NAMEABLE)
        yield (
            f"{path}.sample_rate: {audio.codec} has no {audio.sample_rate}; "
            f"allowed: {allowed}"
        )
