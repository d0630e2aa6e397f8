"""What FFmpeg's ``-progress`` says, as values, and whether it still moves."""

from collections.abc import Iterator
from datetime import timedelta

from media_nommer.core.clock import Clock
from media_nommer.core.errors import EncoderStalled
from media_nommer.core.ports.encoder import Progress


class ProgressReader:
    """Makes values of the blocks of ``key=value`` lines, however the pipe cuts them up."""

    def __init__(self) -> None:
        self._rest = b""
        self._block: dict[str, str] = {}

    def feed(self, chunk: bytes) -> Iterator[Progress]:
        """Yield one value per block that is complete."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            key, found, value = line.decode("utf-8", "replace").partition("=")
            if not found:
                continue
            self._block[key.strip()] = value.strip()
            if key.strip() == "progress":
                yield _progress(self._block)
                self._block = {}


class StallWatch:
    """Notices that an encoder has made nothing new for too long."""

    def __init__(self, patience: timedelta | None, clock: Clock) -> None:
        self._patience = None if patience is None else patience.total_seconds()
        self._clock = clock
        self._moved = clock.monotonic()
        self._place: object = None

    def saw(self, progress: Progress) -> None:
        """Remember when something new was made."""
        place = (progress.frame, progress.out_time, progress.total_size, progress.done)
        if place != self._place:
            self._place = place
            self._moved = self._clock.monotonic()

    def verdict(self) -> EncoderStalled | None:
        """Return the error to raise if patience has run out."""
        if self._patience is None:
            return None
        still = self._clock.monotonic() - self._moved
        if still <= self._patience:
            return None
        return EncoderStalled(f"FFmpeg made no progress for {still:.0f} seconds")


def _progress(block: dict[str, str]) -> Progress:
    microseconds = _number(block.get("out_time_us"))
    frame, size = _number(block.get("frame")), _number(block.get("total_size"))
    return Progress(
        out_time=0.0 if microseconds is None else microseconds / 1e6,
        frame=None if frame is None else int(frame),
        fps=_number(block.get("fps")),
        speed=_number(block.get("speed", "").removesuffix("x")),
        total_size=None if size is None else int(size),
        done=block.get("progress") == "end",
    )


def _number(text: str | None) -> float | None:
    """Read a number; FFmpeg writes N/A for what it does not know."""
    try:
        return float(text or "")
    except ValueError:
        return None
