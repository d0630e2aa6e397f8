"""Sources as odd as people send them, small, and each with what is true of it.

All of them show the same picture in its own shape: red, green, blue and yellow in the
corners (from the upper left, line by line) and a dark square in the middle, which flashes
while a beep is heard. So of any output it can be seen whether it stands upright, whether
squares are square, whether colours are theirs, and whether picture and sound are together.
"""

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg

FFMPEG = str(find_ffmpeg())

#: When the square flashes and the beep begins, and for how long both last, in seconds.
FLASH, FLASH_LASTS = 1.2, 0.12
SECONDS = 2.0

#: Red, green, blue of the corners.
CORNERS = ((200, 50, 50), (50, 160, 50), (50, 50, 200), (200, 180, 50))

_Make = Callable[[Path], None]


@dataclass(frozen=True)
class Odd:
    """One source: how it is made, and what a player shows and plays of it.

    ``shown`` is the size in square pixels, None without a picture; ``channels`` are those
    of the sound that a player takes, 0 without any. ``rate`` is None where it varies.
    Without ``pattern`` it shows something else than all others.
    """

    name: str
    make: _Make
    shown: tuple[int, int] | None = (320, 180)
    channels: int = 1
    rate: float | None = 25
    seconds: float = SECONDS
    hdr: bool = False
    flashes: bool = True
    pattern: bool = True
    title: str | None = None
    chapters: int = 0
    subtitles: int = 0


def ffmpeg(folder: Path, *argv: str, errors: bool = False) -> str:
    """Run FFmpeg in ``folder``; return what it printed, or what it logged."""
    done = subprocess.run(
        [FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel", "warning", *argv],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=120,
    )
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said[-2000:]
    return said if errors else done.stdout.decode("utf-8", "replace")


def make(folder: Path, odd: Odd) -> Path:
    """Make a source below ``folder`` unless it is there, and return where it is."""
    path = folder / odd.name
    if not path.exists():
        odd.make(path)
    return path


def _picture(
    width: int, height: int, *, rate: str = "25", seconds: float = SECONDS, more: str = ""
) -> tuple[str, ...]:
    boxes = "".join(
        f",drawbox=x={x}:y={y}:w=iw/2:h=ih/2:t=fill:c=0x{red:02x}{green:02x}{blue:02x}"
        for (x, y), (red, green, blue) in zip(
            (("0", "0"), ("iw/2", "0"), ("0", "ih/2"), ("iw/2", "ih/2")),
            CORNERS,
            strict=True,
        )
    )
    side = min(width, height) // 6 * 2
    square = f"x=(iw-{side})/2:y=(ih-{side})/2:w={side}:h={side}:t=fill"
    until = FLASH + FLASH_LASTS
    flash = f"between(t,{FLASH}-0.0005,{until}-0.0005)"
    graph = (
        f"color=s={width}x{height}:r={rate}:d={seconds},format=yuv444p{boxes},"
        f"drawbox={square}:c=0x101010,drawbox={square}:c=white:enable='{flash}'"
    )
    return ("-f", "lavfi", "-i", f"{graph}{more},format=yuv420p")


def sound(channels: int = 1, *, seconds: float = SECONDS, rate: int = 48000) -> str:
    """Return a source of sound for lavfi: a soft hum, and the beep over it."""
    hum = "0.1*sin(2*PI*440*t)"
    until = FLASH + FLASH_LASTS
    beep = f"between(t,{FLASH},{until})*0.4*sin(2*PI*1000*(t-{FLASH}))"
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    each = "|".join([f"{hum}+{beep}"] * channels)
    return f"aevalsrc='{each}':c={layout}:s={rate}:d={seconds}"


def _heard(channels: int = 1, **how: float) -> tuple[str, ...]:
    said = sound(channels, seconds=how.get("seconds", SECONDS))
    return ("-f", "lavfi", "-i", said)


_X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-bf", "2")
_AAC = ("-c:a", "aac", "-b:a", "128k")
_BOTH = (*_X264, *_AAC)


def _made(*argv: str) -> _Make:
    """Return what runs FFmpeg once with these arguments."""

    def make(path: Path) -> None:
        ffmpeg(path.parent, *argv, f"./{path.name}")

    return make


def _turned(path: Path) -> None:
    """Hold the camera upright: it films lying down, and says by how much it was turned."""
    plain = path.with_name("lying.mp4")
    ffmpeg(
        path.parent,
        *(*_picture(180, 320, more=",transpose=cclock"), *_heard(), *_BOTH, plain.name),
    )
    turned = ("-display_rotation", "-90", "-i", plain.name, "-c", "copy", path.name)
    ffmpeg(path.parent, *turned)
    plain.unlink()


_HDR = (
    "format=yuv420p,setparams=range=tv:colorspace=bt470bg:color_primaries=bt709"
    ":color_trc=bt709,zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020,"
    "zscale=m=bt2020nc:r=tv:npl=203:t=smpte2084,format=yuv420p10le"
)
_MASTER = (
    "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,1):max-cll=1000,400"
)
_X265 = (
    *("-c:v", "libx265", "-preset", "ultrafast", "-crf", "12", "-tag:v", "hvc1"),
    "-x265-params",
    "log-level=error:pools=2:colorprim=bt2020:colormatrix=bt2020nc:transfer=smpte2084:"
    + _MASTER,
)
_TRACKS = tuple(
    word
    for n in range(1, 8)
    for word in ("-f", "lavfi", "-i", f"sine=f={300 + 100 * n}:d=2:r=48000")
)


def _song(path: Path) -> None:
    """Make a song as a shop sells it: with the picture of its cover."""
    cover = path.with_name("cover.jpg")
    ffmpeg(
        path.parent, "-f", "lavfi", "-i", "testsrc=s=64x64", "-frames:v", "1", cover.name
    )
    ffmpeg(
        path.parent,
        *(*_heard(2), "-i", cover.name, "-map", "0", "-map", "1", "-c:a", "libmp3lame"),
        *("-c:v", "copy", "-disposition:v", "attached_pic", "-id3v2_version", "3"),
        *("-metadata", "title=A song", path.name),
    )
    cover.unlink()


def _edited(path: Path) -> None:
    """Cut a film without encoding it: its edit list hides the frames before the cut."""
    whole = path.with_name("whole.mp4")
    ffmpeg(
        path.parent,
        *(
            *_picture(320, 180, seconds=3),
            *_heard(seconds=3),
            *_BOTH,
            "-g",
            "25",
            whole.name,
        ),
    )
    ffmpeg(path.parent, "-ss", "0.56", "-i", whole.name, "-c", "copy", path.name)
    whole.unlink()


def _begun_before(path: Path) -> None:
    """Show the first frame half a second before nought, and all others as much sooner."""
    ffmpeg(
        path.parent,
        *(*_picture(320, 180), *_heard(), *_BOTH, "-use_editlist", "0"),
        *(
            "-video_track_timescale",
            "12800",
            "-movflags",
            "+negative_cts_offsets",
            path.name,
        ),
    )
    data = bytearray(path.read_bytes())
    (box,) = (found.start() for found in re.finditer(b"ctts", data))
    count = int.from_bytes(data[box + 8 : box + 12], "big")
    for at in range(box + 16, box + 12 + 8 * count, 8):
        sooner = struct.unpack(">i", data[at : at + 4])[0] - 6400
        data[at : at + 4] = struct.pack(">i", sooner)
    path.write_bytes(data)


def _recorded(path: Path) -> None:
    """Record as a browser does: into a pipe, so that nothing in the header is known."""
    said = (*_picture(320, 180), *_heard(), "-c:v", "libvpx", "-b:v", "800k", "-deadline")
    live = ("realtime", "-cpu-used", "8", "-c:a", "libopus", "-f", "webm", "-live", "1")
    done = subprocess.run(
        [FFMPEG, "-nostdin", "-loglevel", "error", *said, *live, "pipe:1"],
        capture_output=True,
        check=True,
        timeout=120,
    )
    path.write_bytes(done.stdout)


def _described(path: Path) -> None:
    """Give a film chapters, subtitles in two languages and a title."""
    told, text = path.with_name("told.txt"), path.with_name("text.srt")
    told.write_text(
        ";FFMETADATA1\ntitle=Holiday\n"
        "[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1\nSTART=1\nEND=2\ntitle=Two\n"
    )
    text.write_text("1\n00:00:00,200 --> 00:00:01,000\nHello <i>you</i>\n\n")
    ffmpeg(
        path.parent,
        *(*_picture(320, 180), *_heard(2), "-i", told.name, "-i", text.name, "-i"),
        *(text.name, "-map", "0", "-map", "1", "-map", "3", "-map", "4"),
        *("-map_metadata", "2", "-map_chapters", "2", *_BOTH, "-c:s", "srt"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fra", path.name),
    )
    told.unlink()
    text.unlink()


def _in_latin_1(path: Path) -> None:
    """Write a title in bytes that are no UTF-8, where a program of old did."""
    ffmpeg(
        path.parent,
        *(*_picture(320, 180), *_heard(), *_BOTH, "-metadata", "title=Caf+ au lait"),
        path.name,
    )
    data = path.read_bytes()
    assert data.count(b"Caf+ au") == 1
    path.write_bytes(data.replace(b"Caf+ au", b"Caf\xe9 au"))


_GAPS = (
    ",select='not(eq(mod(n,5),1)+eq(mod(n,7),2)+between(n,12,17))'",
    ("-fps_mode", "vfr"),
)
_SIX = ("-c:a", "ac3", "-b:a", "384k")

SOURCES: dict[str, Odd] = {
    "vfr": Odd(
        "vfr.mp4",
        _made(*_picture(320, 180, more=_GAPS[0]), *_heard(), *_GAPS[1], *_BOTH),
        rate=None,
    ),
    "turned": Odd("turned.mp4", _turned, shown=(180, 320)),
    "anamorphic": Odd(
        "anamorphic.mkv",
        _made(*_picture(512, 288, more=",scale=360:288,setsar=64/45"), *_heard(2), *_BOTH),
        shown=(512, 288),
        channels=2,
    ),
    "interlaced": Odd(
        "interlaced.ts",
        _made(
            *_picture(320, 180, rate="50", more=",interlace"),
            *(*_heard(2), "-flags", "+ildct+ilme", *_BOTH),
        ),
        channels=2,
    ),
    "odd-size": Odd(
        "odd-size.webm",
        _made(
            *(*_picture(853, 479), *_heard(2), "-c:v", "libvpx-vp9", "-b:v", "0", "-crf"),
            *("20", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
        ),
        shown=(853, 479),
        channels=2,
    ),
    "hdr10": Odd(
        "hdr10.mp4",
        _made(*_picture(320, 180), *_heard(2), "-vf", _HDR, *_X265, *_AAC),
        channels=2,
        hdr=True,
    ),
    "eight-mono": Odd(
        "eight-mono.mov",
        _made(
            *(*_picture(320, 180), *_heard(), *_TRACKS),
            *(word for n in range(9) for word in ("-map", str(n))),
            *(*_X264, "-c:a", "pcm_s16le"),
        ),
    ),
    "surround": Odd(
        "surround.mkv", _made(*_picture(320, 180), *_heard(6), *_X264, *_SIX), channels=6
    ),
    "silent": Odd("silent.mp4", _made(*_picture(320, 180), *_X264), channels=0),
    "song": Odd("song.mp3", _song, shown=None, channels=2, title="A song"),
    "two-pictures": Odd(
        "two-pictures.mp4",
        _made(
            *(*_picture(320, 180), "-f", "lavfi", "-i", "color=c=gray:s=160x90:r=10:d=2"),
            *(*_heard(), "-map", "0", "-map", "1", "-map", "2", *_BOTH),
        ),
    ),
    "negative-start": Odd("negative-start.mp4", _begun_before),
    "edit-list": Odd("edit-list.mp4", _edited, seconds=2.44),
    "one-frame": Odd(
        "one-frame.mp4",
        _made(*_picture(320, 180, seconds=0.04), *_heard(seconds=0.04), *_BOTH),
        seconds=0.04,
        flashes=False,
    ),
    "fast": Odd(
        "fast.mkv",
        _made(*_picture(96, 64, rate="1000", seconds=1.4), *_heard(seconds=1.4), *_BOTH),
        shown=(96, 64),
        rate=1000,
        seconds=1.4,
    ),
    "recorded": Odd("recorded.webm", _recorded),
    "described": Odd(
        "described.mkv",
        _described,
        channels=2,
        title="Holiday",
        chapters=2,
        subtitles=2,
    ),
    "latin-1": Odd("latin-1.mp4", _in_latin_1),
    "name": Odd(
        """-it's "a" [film] (1), & 100% 'ours'.mp4""",
        _made(*_picture(320, 180), *_heard(), *_BOTH),
    ),
}
"""Every odd source by a short name."""
