"""What a worker works with: its machine, scratch space, an encoder, nommers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from media_nommer.conf.settings import Settings, cores, memory
from media_nommer.wiring.ciphers import open_cipher

if TYPE_CHECKING:
    from media_nommer.adapters.ffmpeg.launcher import Launcher
    from media_nommer.adapters.ffmpeg.process import Limits
    from media_nommer.core.ports.encoder import Encoder
    from media_nommer.core.ports.surroundings import Surroundings
    from media_nommer.ec2nommerd.nommers.base import Nommers
    from media_nommer.ec2nommerd.nommers.fetching import Kit
    from media_nommer.ec2nommerd.scratch import Scratch

#: Address space without which an encoder of large pictures does not even start.
_LEAST_MEMORY = 4 * 2**30

#: The folder below `scratch_dir` that holds nothing but workers' scratch space.
_SCRATCH = "nommer-scratch"


def open_surroundings(settings: Settings) -> "Surroundings":
    """Return what tells a worker of the machine that it runs on.

    Raises:
        InvalidSetting: the environment names a metadata service that there cannot be.
    """
    if settings.machine == "own":
        from media_nommer.adapters.memory.surroundings import MemorySurroundings

        return MemorySurroundings()
    from media_nommer.adapters.aws import metadata

    endpoint = os.environ.get(metadata.ENDPOINT_VARIABLE) or metadata.ENDPOINT
    return metadata.Ec2Surroundings(endpoint)


def check_encoder(settings: Settings) -> None:
    """Check that the FFmpeg of the settings runs on this machine.

    Raises:
        EncoderMissing: it does not.
    """
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg, version_of

    version_of(find_ffmpeg(settings.ffmpeg))


def scratch_folder(settings: Settings, owner: str) -> Path:
    """Return where the scratch space of a worker is, while it has any."""
    return settings.scratch_dir / _SCRATCH / owner


def open_scratch(settings: Settings, owner: str) -> "Scratch":
    """Return the scratch space of a worker, in a folder of our own below `scratch_dir`.

    What Scratch finds beside its folder, held by nobody, it takes for a dead worker's.
    """
    from media_nommer.ec2nommerd.scratch import Scratch

    return Scratch(settings.scratch_dir / _SCRATCH, owner)


@contextmanager
def worker_kit(settings: Settings, scratch: "Scratch", slots: int) -> Iterator["Kit"]:
    """Open what nommers work with; ``scratch`` is entered, and still empty.

    Raises:
        EncoderMissing: there is no usable FFmpeg.
    """
    from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
    from media_nommer.adapters.ffmpeg.encoder import FfmpegEncoder, runs_confined
    from media_nommer.adapters.ffmpeg.launcher import Launcher
    from media_nommer.adapters.ffmpeg.probe import AvProbe
    from media_nommer.ec2nommerd.nommers.fetching import Kit
    from media_nommer.planning.tasks import Policy, threads_for

    ffmpeg = find_ffmpeg(settings.ffmpeg)
    with Launcher(scratch.folder) as launcher, AvProbe(launcher) as probe:
        yield Kit(
            probe=probe,
            encoder=FfmpegEncoder(
                launcher,
                ffmpeg,
                limits=encoder_limits(settings),
                stall_after=settings.stall_timeout,
                confined=settings.ffmpeg is None or runs_confined(launcher, ffmpeg),
            ),
            check_room=scratch.check_room,
            threads=threads_for(slots, cores()),
            cutting=Policy(nodes=settings.max_nodes),
            cipher=open_cipher(),
            packager=_packager(settings, launcher),
        )


def encoder_limits(settings: Settings) -> "Limits":
    """Return what one encoder may use, whatever its source makes it do (rule 11).

    Memory is counted as address space, which is more than what is used of it: by default
    all that the machine has, and 4 GiB on a small one.
    """
    from media_nommer.adapters.ffmpeg.process import Limits

    return Limits(
        memory=settings.encoder_memory or max(memory(), _LEAST_MEMORY),
        wall=settings.encoder_timeout,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerParts:
    """What a worker works with: a nommer for each kind of task, and scratch space."""

    nommers: "Nommers"
    scratch: "Scratch"


@contextmanager
def worker_parts(settings: Settings, owner: str) -> Iterator[WorkerParts]:
    """Open what the worker called ``owner`` needs to encode; nothing of it is left after.

    Raises:
        EncoderMissing: there is no usable FFmpeg.
    """
    from media_nommer.ec2nommerd.nommers.media import shipped_nommers

    with (
        open_scratch(settings, owner) as scratch,
        worker_kit(settings, scratch, settings.slots_in_force) as kit,
    ):
        yield WorkerParts(nommers=shipped_nommers(kit), scratch=scratch)


def _packager(settings: Settings, launcher: "Launcher") -> "Encoder | None":
    from media_nommer.adapters.ffmpeg.packager import ShakaPackager, find_packager

    program = find_packager()
    if program is None:
        return None
    return ShakaPackager(launcher, program, limits=encoder_limits(settings))
