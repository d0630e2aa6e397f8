"""From an encoder's exit and its last words to an error that says what to do."""

import re
import signal
from collections.abc import Sequence

from media_nommer.adapters.ffmpeg.process import Exit, Limits
from media_nommer.core.errors import (
    CodecMissing,
    EncodeError,
    EncoderCrashed,
    EncoderLimit,
    NommerError,
    NoSpace,
    NotMedia,
    TruncatedMedia,
)

_LINE = re.compile(
    r"^(?:\[(?P<part>[^\]]*?)(?: @ 0x[0-9a-f]+)?\] )*?\[(?P<level>\w+)\] (?P<text>.*)$"
)
_COMPLAINTS = frozenset({"error", "fatal", "panic"})
_EMPTY_WORDS = ("Conversion failed!", "Nothing was written into output file")
_STARVED = ("Cannot allocate memory", "std::bad_alloc", "pthread_create() failed")
_LIMIT_SIGNALS = {
    signal.SIGXCPU: "used more processor time than it may",
    signal.SIGXFSZ: "wrote a larger file than it may",
}


def complaints(log_tail: Sequence[str]) -> list[str]:
    """Return what an encoder called an error, without addresses and repetitions."""
    found: dict[str, None] = {}
    for line in log_tail:
        match = _LINE.match(line)
        if match and match["level"] in _COMPLAINTS and match["text"].strip():
            found[match["text"].strip()] = None
    telling = [text for text in found if not text.startswith(_EMPTY_WORDS)]
    return telling or list(found)


def trouble(
    ended: Exit, log_tail: Sequence[str], limits: Limits, program: str = "FFmpeg"
) -> NommerError:
    """Return the error that a failed exit amounts to; ``log_tail`` ends its log."""
    said = complaints(log_tail)
    text = "\n".join(log_tail)
    tail = tuple(log_tail[-20:])
    quote = "; ".join(said[:3]).rstrip(".")

    if "No space left on device" in text or "Disk quota exceeded" in text:
        return NoSpace(f"the disk was full while {program} wrote to it", log_tail=tail)
    if crossed := _limit_crossed(ended, text, limits):
        return EncoderLimit(f"{program} {crossed}", log_tail=tail)
    if ended.killed_by is not None:
        message = f"{program} was killed by {ended.killed_by.name}"
        if ended.killed_by is signal.SIGKILL:
            message += ", perhaps because the machine had too little memory"
        return EncoderCrashed(f"{message}", log_tail=tail)
    if _starved(text):
        return EncoderCrashed(f"{program} found too little memory", log_tail=tail)
    if missing := re.search(r"Unknown encoder '([^']*)'", text):
        return CodecMissing(
            f"the FFmpeg of this worker has no encoder called {missing[1]}", log_tail=tail
        )
    if "moov atom not found" in text:
        return TruncatedMedia(
            "the source ends before its index: it is cut short", log_tail=tail
        )
    if "Error opening input" in text and (
        "Invalid data found" in text or "not on whitelist" in text
    ):
        return NotMedia(f"FFmpeg cannot read the source: {quote}", log_tail=tail)
    if not quote:
        return EncodeError(f"{program} exited with status {ended.code}", log_tail=tail)
    return EncodeError(f"{program} refused: {quote}", log_tail=tail)


def _limit_crossed(ended: Exit, text: str, limits: Limits) -> str | None:
    """Say which limit ended the process, if one did.

    FFmpeg catches SIGXCPU and leaves in good order, so its log is asked too.
    """
    if ended.killed_by in _LIMIT_SIGNALS:
        return _LIMIT_SIGNALS[ended.killed_by]
    if f"received signal {int(signal.SIGXCPU)}" in text:
        return _LIMIT_SIGNALS[signal.SIGXCPU]
    if (
        limits.cpu is not None
        and ended.killed_by is signal.SIGKILL
        and ended.cpu_seconds >= limits.cpu.total_seconds()
    ):
        return _LIMIT_SIGNALS[signal.SIGXCPU]
    if "File too large" in text and limits.file_size is not None:
        return _LIMIT_SIGNALS[signal.SIGXFSZ]
    if limits.memory is not None and _starved(text):
        return "needed more memory than it may use"
    return None


def _starved(text: str) -> bool:
    """Whether memory ran out; a thread that finds no room for its stack says EAGAIN."""
    return any(sign in text for sign in _STARVED)
