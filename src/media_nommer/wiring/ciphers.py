"""What encrypts: seals of secrets, and what is published."""

import os
from typing import TYPE_CHECKING

from media_nommer.adapters import crypto
from media_nommer.conf.settings import Settings
from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import InvalidSetting
from media_nommer.wiring import amazon

if TYPE_CHECKING:
    from media_nommer.core.ports.cipher import SegmentCipher
    from media_nommer.core.ports.sealer import Sealer
    from media_nommer.core.ports.sealing_keys import SealingKeys


def open_sealer(settings: Settings, clock: Clock) -> "Sealer | None":
    """Return what seals secrets, None where nothing does.

    Machines of EC2 get no files from here, so nothing is sealed for them with one.

    Raises:
        InvalidSetting: there is no such key, or nothing that seals with it.
    """
    if settings.fleet == "ec2" and parameter_of(settings) is None:
        return None
    keys = open_sealing_keys(settings, clock)
    return None if keys is None else crypto.AesSealer(keys)


def open_sealing_keys(
    settings: Settings, clock: Clock = system_clock
) -> "SealingKeys | None":
    """Return the keys that seal secrets, None where there are none.

    Raises:
        InvalidSetting: there is no such key, or nothing that seals with it.
    """
    if settings.sealing_key is None:
        return None
    if not crypto.is_installed():
        raise InvalidSetting(
            "sealing_key needs a part that is not installed",
            advice="pip install 'media-nommer[drm]'",
        )
    parameter = parameter_of(settings)
    if parameter is None:
        from media_nommer.adapters.objects import path_of

        return crypto.FileKey(path_of(settings.sealing_key))
    clients = amazon.aws_clients(settings.aws_region)
    from media_nommer.adapters.aws.sealing_keys import SsmKeys

    return SsmKeys(clients, parameter, clock)


def parameter_of(settings: Settings) -> str | None:
    """Return the parameter of SSM that is the sealing key, None where that is elsewhere."""
    scheme, _, name = (settings.sealing_key or "").partition("://")
    return name if scheme == "ssm" else None


def passing_sealer() -> "Sealer | None":
    """Return a sealer whose key is nowhere else, None where nothing seals."""
    if not crypto.is_installed():
        return None
    from media_nommer.adapters.memory import MemoryKeys

    return crypto.AesSealer(MemoryKeys(os.urandom(32)))


def open_cipher() -> "SegmentCipher | None":
    """Return what encrypts whole segments, None where nothing does."""
    return crypto.AesSegmentCipher() if crypto.is_installed() else None
