"""Encrypting frames: Shaka Packager's command lines, as data, without any key in them."""

from dataclasses import dataclass

from media_nommer.core.recipes.encryption import Encryption
from media_nommer.planning.packaging.licences import licence_of
from media_nommer.planning.packaging.packed import Packed

#: Seconds so short that every key frame begins a fragment.
_EACH_KEY_FRAME = 0.01


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys themselves, which no command line may hold."""

    picture: bytes
    sound: bytes


def cenc_command(
    packed: Packed, wanted: Encryption, *, source: str, target: str, flags: str
) -> tuple[str, ...]:
    """Return the packager's arguments for encrypting the frames of one rendition.

    Its fragments stay those of ``source``, each a segment in the index until ours replaces
    it. ``flags`` is a file with what ``key_flags`` returns.
    """
    sound = packed.rendition.video is None
    licence = licence_of(wanted, sound=sound)
    assert licence is not None
    length = packed.rendition.fragment if sound else None
    seconds = f"{length or _EACH_KEY_FRAME:g}"
    kind = "audio" if sound else "video"
    return (
        f"in={source},stream={kind},output={target},drm_label={kind}",
        *("--enable_raw_key_encryption", f"--flagfile={flags}"),
        *(f"--protection_scheme={wanted.scheme}", "--clear_lead=0"),
        f"--pssh={b''.join(licence.boxes).hex()}",
        *(f"--segment_duration={seconds}", f"--fragment_duration={seconds}"),
        "--temp_dir=.",
    )


def key_flags(wanted: Encryption, keys: Keys) -> str:
    """Return what the packager is told of keys, in a file that nobody else sees."""
    picture = f"key_id={wanted.key_id}:key={keys.picture.hex()}"
    sound = f"key_id={wanted.audio_key_id or wanted.key_id}:key={keys.sound.hex()}"
    return f"--keys=label=video:{picture},label=audio:{sound}\n"
