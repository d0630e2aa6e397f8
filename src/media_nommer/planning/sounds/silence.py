"""A silent sound for films that have none, where a recipe asks for it."""

from collections.abc import Sequence
from dataclasses import replace

from media_nommer.core.errors import MediaError
from media_nommer.core.media import AudioStream, Media
from media_nommer.core.recipes.documents import Audio
from media_nommer.planning.pictures.moments import picture_length
from media_nommer.planning.sounds.sound import SILENCE, AudioPlan

_USUAL_CHANNELS, _USUAL_RATE = 2, 48_000
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def with_silence(media: Media, audio: Audio | None, where: str) -> Media:
    """Return a film with a silent sound if it has none, and the recipe wants one then.

    Raises:
        MediaError: nothing tells how long it would have to be.
    """
    picture = media.picture
    wanted = audio is not None and audio.if_missing == "silence"
    if audio is None or not wanted or media.sound is not None or picture is None:
        return media
    length = picture_length(media, picture)
    if length is None:
        raise MediaError(
            f"{where}.audio.if_missing: the source does not tell how long it is, and "
            "so how long to be silent",
            advice="Say the input's `duration`.",
        )
    stream = AudioStream(
        index=-1,
        codec=SILENCE,
        channels=audio.channels or _USUAL_CHANNELS,
        sample_rate=audio.sample_rate or _USUAL_RATE,
        duration=max(0.0, media.begin_of(picture)) + length,
        start_time=media.start_time,
        default=True,
    )
    return replace(media, audio=(stream,))


def silence_words(audio: AudioPlan) -> tuple[str, ...]:
    """Return the words by which FFmpeg reads silence instead of a file."""
    layout, rate = _LAYOUTS[audio.channels], audio.sample_rate
    lasts = f"{audio.duration or 0.0:.6f}"
    return ("-f", "lavfi", "-i", f"anullsrc=r={rate}:cl={layout}:d={lasts}")


def silences(sounds: Sequence[tuple[str, AudioPlan]]) -> dict[tuple[str, ...], list[str]]:
    """Return the keys of silent sounds, by the words of what each is read from."""
    found: dict[tuple[str, ...], list[str]] = {}
    for key, audio in sounds:
        if audio.silent:
            found.setdefault(silence_words(audio), []).append(key)
    return found
