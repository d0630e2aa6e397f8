"""What each shipped preset is to make of each odd source, by the documentation alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import av

from tests.odd_seeing import Picture, Seen, Sound, corners, likeness, see
from tests.odd_sources import Odd

_NEAR = 16  # of 255: what encoding may do to a colour
_NEAR_HDR = 60  # what bending a high dynamic range into a standard one may do
_PLAIN_TAGS = {1, 2, 5, 6}  # BT.709, nothing, and the two of BT.601
_HDR_TAGS = (9, 16, 9, 1)
_TOGETHER = 0.005  # seconds


@dataclass(frozen=True)
class Wish:
    """What one preset says, read out of the documentation."""

    kind: str
    picture: str | None = None
    sound: str | None = None
    box: tuple[int, int] | None = None
    filled: bool = False
    channels: int = 2
    most_rate: float = 1000
    hdr: bool = False
    loudness: float | None = None


_HD, _SMALL, _UHD = (1920, 1080), (640, 360), (3840, 2160)

WISHES: dict[str, Wish] = {
    "web": Wish("film", "h264", "aac", _HD),
    "web-small": Wish("film", "h264", "aac", _SMALL),
    "hls-dash": Wish("streams", "h264", "aac", _HD),
    "hls": Wish("streams", "h264", "aac", _HD),
    "webm": Wish("film", "vp9", "opus", _HD),
    "av1": Wish("film", "av1", "opus", _HD, most_rate=240),
    "web-4k": Wish("film", "hevc", "aac", _UHD, hdr=True),
    "social-square": Wish(
        "film", "h264", "aac", (1080, 1080), filled=True, most_rate=30, loudness=-14
    ),
    "social-vertical": Wish(
        "film", "h264", "aac", (1080, 1920), filled=True, most_rate=30, loudness=-14
    ),
    "preview": Wish("film", "h264", "aac", _SMALL, channels=1, most_rate=15),
    "archive": Wish("film", "prores", "pcm_s24le", channels=8, hdr=True),
    "audio": Wish("sound", sound="aac"),
    "mp3": Wish("sound", sound="mp3"),
    "opus": Wish("sound", sound="opus"),
    "podcast": Wish("sound", sound="mp3", channels=1, loudness=-19),
    "thumbnails": Wish("pictures", box=(10_000, 360)),
    "poster": Wish("pictures", box=(1280, 10_000)),
    "sprite": Wish("sheets", box=(160, 10_000)),
}


def refusal(preset: str, odd: Odd) -> str | None:
    """Return the code of the error that a source must end in, None where it must not."""
    wish = WISHES[preset]
    no_sound = wish.kind == "sound" and not odd.channels
    no_picture = wish.kind in {"film", "pictures", "sheets"} and odd.shown is None
    return "NO_STREAMS" if no_sound or no_picture else None


def check(preset: str, odd: Odd, source: Seen, files: Sequence[Path]) -> Iterable[str]:
    """Yield what is wrong with the files that were made of a source."""
    wish = WISHES[preset]
    match wish.kind:
        case "film" | "sound":
            (path,) = files
            yield from _check_film(wish, odd, source, see(path))
            yield from _check_told(odd, see(path), path)
        case "streams":
            manifests = [path for path in files if path.suffix in {".m3u8", ".mpd"}]
            yield from _check_manifests(preset, manifests)
            for path in manifests:
                if path.stem == "index":
                    yield from (
                        f"{path.name}: {wrong}"
                        for wrong in _check_film(wish, odd, source, see(path))
                    )
        case "pictures":
            yield from _check_pictures(wish, odd, source, files)
        case _:
            yield from _check_sheets(odd, source, files)


def _check_film(wish: Wish, odd: Odd, source: Seen, made: Seen) -> Iterable[str]:
    pictures = 1 if wish.picture and odd.shown else 0
    sounds = 1 if wish.sound and odd.channels else 0
    if wish.kind == "streams":  # renditions of several sizes, and every sound
        pictures *= max(1, len(made.pictures))
        sounds = max(len(source.sounds), len(made.sounds) if not pictures else 0)
    if (len(made.pictures), len(made.sounds)) != (pictures, sounds):
        yield f"has {len(made.pictures)} pictures and {len(made.sounds)} sounds"
        return
    if pictures:
        yield from _check_picture(wish, odd, source.picture, made.picture)
    if sounds:
        yield from _check_sound(wish, odd, source.sound, made.sound)
    if pictures and sounds:
        yield from _check_together(wish, odd, source, made)


def _check_picture(wish: Wish, odd: Odd, source: Picture, made: Picture) -> Iterable[str]:
    assert odd.shown is not None
    if made.codec != wish.picture:
        yield f"is {made.codec}"
    if made.rotation or made.aspect != 1:
        yield f"has rotation {made.rotation} and pixels of {made.aspect}"
    if made.interlaced:
        yield "is told to be interlaced"
    size = _size(wish, odd.shown)
    if max(abs(made.width - size[0]), abs(made.height - size[1])) > 2:
        yield f"is {made.width}x{made.height}, not {size[0]}x{size[1]}"
    across, down = made.square
    if odd.pattern and abs(across - down) > 3 + max(across, down) * 0.05:
        yield f"shows a square as {across}x{down}"
    yield from _check_light(wish, odd, made)
    yield from _check_frames(wish, odd, source, made)


def _size(wish: Wish, shown: tuple[int, int]) -> tuple[int, int]:
    """Return the size in the box: none is enlarged unless the box is to be filled."""
    if wish.box is None:
        return shown
    upright = shown[1] > shown[0]
    width, height = sorted(wish.box, reverse=not upright)
    if wish.filled:
        return wish.box
    factor = min(1.0, width / shown[0], height / shown[1])
    return round(shown[0] * factor), round(shown[1] * factor)


def _check_light(wish: Wish, odd: Odd, made: Picture) -> Iterable[str]:
    if odd.hdr and wish.hdr:
        if made.tags != _HDR_TAGS:
            yield f"is tagged {made.tags}, not {_HDR_TAGS}"
        lost = {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"} - made.told
        if lost and wish.picture == "hevc":
            yield f"lost {', '.join(sorted(lost))}"
        return
    if not set(made.tags[:3]) <= _PLAIN_TAGS or made.tags[3] == 2:
        yield f"is tagged {made.tags}"
    if "MASTERING_DISPLAY_METADATA" in made.told:
        yield "tells of the master's display, which it is not for any more"
    if odd.pattern and likeness(made.corners) > (_NEAR_HDR if odd.hdr else _NEAR):
        yield f"has corners of {list(made.corners)}"


def _check_frames(wish: Wish, odd: Odd, source: Picture, made: Picture) -> Iterable[str]:
    begun = [time - source.times[0] for time in source.times]
    times = [time - made.times[0] for time in made.times]
    if any(b <= a for a, b in pairwise(times)):
        yield "has frames that do not come one after the other"
    rate = odd.rate or 25
    if rate <= wish.most_rate and (odd.rate is not None or wish.most_rate > 30):
        if len(times) != len(begun):
            yield f"has {len(times)} frames, not {len(begun)}"
            return
        shift = times[-1] - begun[-1] if wish.kind == "streams" else 0.0  # first is at 0
        pairs = list(zip(begun, times, strict=True))[wish.kind == "streams" :]
        moved = max((abs(b - a - shift) for a, b in pairs), default=0.0)
        if moved > 0.0011:
            yield f"has a frame moved by {moved:.4f} s"
        return
    length = odd.seconds
    own = len(times) / length
    if own > wish.most_rate + 1 / length:
        yield f"has {own:.2f} frames a second"
    if len(times) < min(wish.most_rate, rate) * length * 0.48 - 1:
        yield f"has only {len(times)} frames"
    if abs(begun[-1] - times[-1]) > 2.5 / own:
        yield f"ends at {times[-1]:.3f} s, not {begun[-1]:.3f} s"


def _check_sound(wish: Wish, odd: Odd, source: Sound, made: Sound) -> Iterable[str]:
    if made.codec != wish.sound:
        yield f"is {made.codec}"
    if made.channels != min(wish.channels, odd.channels):
        yield f"has {made.channels} channels"
    late = 0.0 if wish.kind != "streams" else 0.6  # silence before it is part of it
    if not -0.05 <= made.seconds - source.seconds <= 0.1 + late:
        yield f"sounds for {made.seconds:.3f} s, not {source.seconds:.3f} s"


def _check_together(wish: Wish, odd: Odd, source: Seen, made: Seen) -> Iterable[str]:
    before, after = source.apart, made.apart
    if not odd.flashes or before is None:
        return
    if after is None:
        yield "has no flash or no beep"
        return
    frames = len(made.picture.times) / odd.seconds
    room = 1 / frames if frames < len(source.picture.times) / odd.seconds - 1 else 0.0
    if wish.most_rate <= 30 and odd.rate is None:
        room = 1 / wish.most_rate
    if abs(after - before) > _TOGETHER + room:
        yield f"beeps {after:.4f} s after the flash, not {before:.4f} s"


def _check_told(odd: Odd, made: Seen, path: Path) -> Iterable[str]:
    if odd.title and made.title != odd.title:
        yield f"is titled {made.title!r}"
    if not made.pictures:
        return
    if made.chapters != odd.chapters:
        yield f"has {made.chapters} chapters"
    if len(made.subtitles) != odd.subtitles:
        yield f"has {len(made.subtitles)} subtitles"
    if made.duration is None or abs(made.duration - odd.seconds) > 0.61:
        yield f"lasts {made.duration} s"


def _check_manifests(preset: str, manifests: Sequence[Path]) -> Iterable[str]:
    endings = {path.suffix for path in manifests}
    wanted = {".m3u8", ".mpd"} if preset == "hls-dash" else {".m3u8"}
    if endings != wanted:
        yield f"has manifests of {sorted(endings)}"


def _check_pictures(
    wish: Wish, odd: Odd, source: Seen, files: Sequence[Path]
) -> Iterable[str]:
    assert odd.shown is not None
    wanted = min(10, len(source.picture.times)) if wish.box == (10_000, 360) else 1
    if len(files) != wanted:
        yield f"is {len(files)} pictures"
    width, height = odd.shown
    box = wish.box or odd.shown
    factor = min(1.0, box[0] / width, box[1] / height)
    size = (round(width * factor), round(height * factor))
    for path in files:
        found = see(path).picture
        if max(abs(found.width - size[0]), abs(found.height - size[1])) > 2:
            yield f"{path.name} is {found.width}x{found.height}, not {size}"
        near = _NEAR_HDR if odd.hdr else _NEAR
        if odd.pattern and likeness(found.corners) > near:
            yield f"{path.name} has corners of {list(found.corners)}"


def _check_sheets(odd: Odd, source: Seen, files: Sequence[Path]) -> Iterable[str]:
    (told,) = (path for path in files if path.suffix == ".vtt")
    sheets = {path.name: path for path in files if path.suffix == ".jpg"}
    cues = re.findall(
        r"([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)", told.read_text()
    )
    if not 1 <= len(cues) <= 100:
        yield f"has {len(cues)} pictures"
    cues = [(*cue[:2], unquote(cue[2]), *cue[3:]) for cue in cues]
    if {cue[2] for cue in cues} != set(sheets):
        yield "its map and its sheets are not of each other"
        return
    frames = {name: _still(path) for name, path in sheets.items()}
    for cue in (cues[0], cues[-1]):
        x, y, width, height = map(int, cue[3:])
        frame = frames[cue[2]]
        if x + width > frame.width or y + height > frame.height:
            yield f"{cue} is beyond its sheet of {frame.width}x{frame.height}"
            return
        assert odd.shown is not None
        if abs(Fraction(width, height) - Fraction(*odd.shown)) > Fraction(1, 25):
            yield f"has pictures of {width}x{height}"
        seen = corners(frame, (x, y, width, height))
        if odd.pattern and likeness(seen) > (_NEAR_HDR if odd.hdr else 2 * _NEAR):
            yield f"{cue[2:]} has corners of {seen}"
    hours, minutes, seconds = cues[-1][1].split(":")
    ends = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if abs(ends - odd.seconds) > 0.61:
        yield f"its map ends at {ends} s"


def _still(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))
