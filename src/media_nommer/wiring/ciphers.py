"""What encrypts: seals of secrets, and what is published."""

import os
from typing import TYPE_CHECKING

from media_nommer.adapters import crypto
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import InvalidSetting

if TYPE_CHECKING:
    from media_nommer.core.ports.cipher import SegmentCipher
    from media_nommer.core.ports.sealer import Sealer


def open_sealer(settings: Settings) -> "Sealer | None":
    """Return what seals secrets, None where nothing does.

    Machines of EC2 get no files from here, so nothing is sealed for them.
    """
    if settings.sealing_key_file is None or settings.fleet == "ec2":
        return None
    if not crypto.is_installed():
        raise InvalidSetting(
            "sealing_key_file needs a part that is not installed",
            advice="pip install 'media-nommer[drm]'",
        )
    return crypto.AesSealer(crypto.read_key(settings.sealing_key_file))


def passing_sealer() -> "Sealer | None":
    """Return a sealer whose key is nowhere else, None where nothing seals."""
    return crypto.AesSealer(os.urandom(32)) if crypto.is_installed() else None


def open_cipher() -> "SegmentCipher | None":
    """Return what encrypts whole segments, None where nothing does."""
    return crypto.AesSegmentCipher() if crypto.is_installed() else None
