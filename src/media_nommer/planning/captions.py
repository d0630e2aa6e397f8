"""Captions as text: read from SubRip as FFmpeg writes it, cut, and written as files.

FFmpeg turns every kind of text subtitles into SubRip, with the few tags that it knows. What
it wrote is taken for what it is: text of strangers.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from media_nommer.core.errors import OutputDamaged

#: Text that is not in UTF-8, and of which nobody says in what, is taken to be in this:
#: the most common of all others.
_FALLBACK = "cp1252"

_TIME = r"(\d+):(\d\d):(\d\d)[,.](\d{3})"
_HEAD = re.compile(rf"{_TIME} --> {_TIME}\s*")
_NUMBER = re.compile(r"\d+")
_TAG = re.compile(r"<(/?)([biu])>", re.IGNORECASE)
_ANY_TAG = re.compile(r"</?(?:[biu]|font)(?: [^<>]*)?>", re.IGNORECASE)
_PLACE = re.compile(r"\{\\an([1-9])\}")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TOP = "789"  # of a number pad
_MIDDLE = "456"
_NOUGHT = "00:00:00.000"


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from ``start`` to ``end``, in milliseconds; ``text`` is SubRip's."""

    start: int
    end: int
    text: str


def decoded(raw: bytes) -> str:
    """Return the text of captions; what is not in UTF-8 is Western European.

    A file may be of both: each cue was encoded by itself.
    """
    lines: list[str] = []
    for line in raw.splitlines():
        try:
            lines.append(line.decode())
        except UnicodeDecodeError:
            lines.append(line.decode(_FALLBACK, "replace"))
    return "\n".join(lines).removeprefix("\ufeff")


def cues_in(text: str) -> tuple[Cue, ...]:
    """Return the cues of a SubRip text that show something, by when they begin."""
    found: list[Cue] = []
    lines = [_CONTROL.sub("", line) for line in text.split("\n")]
    heads = [n for n, line in enumerate(lines) if _is_head(lines, n, line)]
    for place, begin in enumerate(heads):
        end = heads[place + 1] - 1 if place + 1 < len(heads) else len(lines)
        said = "\n".join(line.strip() for line in lines[begin + 1 : end] if line.strip())
        match = _HEAD.fullmatch(lines[begin])
        if match and said:
            times = [int(number) for number in match.groups()]
            found.append(Cue(_millis(times[:4]), _millis(times[4:]), said))
    good = (cue for cue in found if cue.end > cue.start)
    return tuple(sorted(good, key=lambda cue: (cue.start, cue.end)))


def clipped(
    cues: Sequence[Cue], *, start: float = 0.0, end: float | None = None
) -> tuple[Cue, ...]:
    """Return what is shown between two times (seconds), as if ``start`` were nought."""
    first = round(start * 1000)
    last = None if end is None else round(end * 1000)
    inside = (
        replace(
            cue,
            start=max(cue.start, first) - first,
            end=(cue.end if last is None else min(cue.end, last)) - first,
        )
        for cue in cues
    )
    return tuple(cue for cue in inside if cue.end > cue.start)


def paced(cues: Sequence[Cue], pace: float) -> tuple[Cue, ...]:
    """Return the cues of a film that plays so many times as fast."""
    return tuple(
        replace(cue, start=round(cue.start / pace), end=round(cue.end / pace))
        for cue in cues
    )


#: A SubRip file that shows nothing: readers that guess what a file is take none without
#: cues for one, and both FFmpeg and we leave out what is shown for no time.
SILENT = "1\n00:00:00,000 --> 00:00:00,000\n\n"


def as_srt(cues: Sequence[Cue]) -> str:
    """Return a SubRip file."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def as_webvtt(cues: Sequence[Cue], *, begins: int | None = None) -> str:
    """Return a WebVTT file: bold, italic and underlined stay, and what is at the top.

    For HLS, ``begins`` is the time at which the film begins in its segments, in ticks of
    MPEG-TS.
    """
    mapped = "" if begins is None else f"X-TIMESTAMP-MAP=MPEGTS:{begins},LOCAL:{_NOUGHT}\n"
    return f"WEBVTT\n{mapped}\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}{_settings(cue.text)}\n"
        f"{_vtt_text(cue.text)}\n\n"
        for cue in cues
    )


def check_captions(text: str, *, webvtt: bool, cues: int) -> None:
    """Do nothing if ``text`` is a file of so many cues.

    Raises:
        OutputDamaged: it is not.
    """
    if webvtt and not text.startswith("WEBVTT\n"):
        raise OutputDamaged("the captions are not WebVTT")
    heads = re.findall(rf"^{_TIME} --> ", text, re.MULTILINE)
    there = len(heads) if webvtt else len(cues_in(text))
    if there != cues:
        raise OutputDamaged(f"planned {cues} cues, the captions have {there}")


def _is_head(lines: Sequence[str], place: int, line: str) -> bool:
    """Say whether a cue begins here: times below a number, as the format wants it."""
    numbered = place > 0 and _NUMBER.fullmatch(lines[place - 1].strip())
    return bool(numbered and _HEAD.fullmatch(line))


def _millis(parts: Sequence[int]) -> int:
    hours, minutes, seconds, millis = parts
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis


def _clock(millis: int, comma: str) -> str:
    seconds, rest = divmod(millis, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{comma}{rest:03}"


def _settings(text: str) -> str:
    place = _PLACE.search(text)
    if place is None:
        return ""
    return " line:0" if place[1] in _TOP else " line:50%" if place[1] in _MIDDLE else ""


def _vtt_text(text: str) -> str:
    return "".join(_vtt_parts(_PLACE.sub("", text))) or "&nbsp;"


def _vtt_parts(text: str) -> Iterator[str]:
    """Yield a text with all but WebVTT's own tags written out; each that opens closes."""
    open_: list[str] = []
    at = 0
    for tag in _ANY_TAG.finditer(text):
        yield text[at : tag.start()].translate(_ESCAPED)
        at = tag.end()
        known = _TAG.fullmatch(tag[0])
        if known is None:
            continue
        name = known[2].lower()
        if not known[1]:
            open_.append(name)
            yield f"<{name}>"
        elif name in open_:
            while (inner := open_.pop()) != name:
                yield f"</{inner}>"
            yield f"</{name}>"
    yield text[at:].translate(_ESCAPED)
    yield "".join(f"</{name}>" for name in reversed(open_))
