"""Turning a source into outputs, in a process that can be watched and stopped."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from media_nommer.core.errors import NommerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an encoder is.

    ``out_time`` is seconds of output made so far, ``frame`` counts the frames of the first
    video output, ``total_size`` is bytes of output, ``fps`` frames a second and ``speed``
    seconds of media a second, both since the start; None is what the encoder does not know,
    or not yet. ``done`` is True for the last one.
    """

    out_time: float
    frame: int | None = None
    total_size: int | None = None
    fps: float | None = None
    speed: float | None = None
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What a command that ended well used and said.

    ``command`` can be pasted into a shell; ``peak_memory`` is bytes.
    """

    command: str
    cpu_seconds: float
    wall_seconds: float
    peak_memory: int
    log_tail: tuple[str, ...]


class Encoder(ABC):
    """Runs the command lines that planning makes. Several threads may share one."""

    @abstractmethod
    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        log: Path,
        on_progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], NommerError | None] | None = None,
    ) -> Encoded:
        """Run the encoder with ``args`` (all that follows its name) in the folder ``cwd``.

        ``log`` gets the command line and all that the encoder prints; it is appended to.
        ``stop`` is asked several times a second: the error that it returns is raised once
        the encoder and all its children are dead.

        Raises:
            EncodeError: it refused, crashed, stalled, crossed a limit or lacks a codec.
            MediaError: it could not read the source.
            NoSpace: the disk is full.
            EncoderMissing: it cannot be run.
            NommerError: whatever ``stop`` returned.
        """
