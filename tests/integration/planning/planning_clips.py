"""Making odd clips, running planned commands, and looking at what came of them."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import imageio_ffmpeg

from media_nommer.adapters.ffmpeg.launcher import Launcher
from media_nommer.adapters.ffmpeg.probe import AvProbe
from media_nommer.core.media import Media
from media_nommer.core.ports.probe import Probe
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import parse_recipe
from media_nommer.planning.ffmpeg import encode_command, level_commands, measure_commands
from media_nommer.planning.outputs import plan_outputs
from media_nommer.planning.plan import OutputPlan, single_files
from media_nommer.planning.sounds.leveling import leveled
from media_nommer.planning.sounds.loudness import Level, Measured, measured_in
from media_nommer.planning.sounds.sound import AudioPlan
from media_nommer.planning.verify import check_output

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
QUICK = {"speed": "ultrafast"}


@contextmanager
def av_probe(scratch: Path) -> Iterator[Probe]:
    with Launcher(scratch) as launcher, AvProbe(launcher) as probe:
        yield probe


def ffmpeg(folder: Path, *argv: str, errors: bool = False) -> str:
    """Run FFmpeg in ``folder`` and return what it printed, or what it logged."""
    done = subprocess.run(
        [FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel", "warning", *argv],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr if errors else done.stdout


def _lavfi(source: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", source)


_BARS = _lavfi("testsrc2=s=320x180:r=25:d=2")
_TONE = _lavfi("sine=f=440:d=2")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")
_GAPS = ("-vf", "select='not(eq(mod(n,5),1)+eq(mod(n,7),2))'", "-fps_mode", "vfr")
_SIX = "pan=5.1(side)|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"

_LIGHT = "format=yuv420p,setparams=range=tv:colorspace=bt709:color_primaries=bt709"
_LINEAR = f"{_LIGHT}:color_trc=bt709,zscale=t=linear:npl=203,format=gbrpf32le"
_WIDE = f"{_LINEAR},zscale=p=bt2020,zscale=m=bt2020nc:r=tv:npl=203:agamma=0"
_X265 = "log-level=error:colorprim=bt2020:colormatrix=bt2020nc:pools=2"
_MASTER = (
    "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,1):max-cll=1000,400"
)


def _hdr(transfer: str, more: str = "") -> tuple[str, ...]:
    return (
        *_lavfi("testsrc2=s=320x180:r=25:d=0.4"),
        *("-vf", f"{_WIDE}:t={transfer},format=yuv420p10le", "-c:v", "libx265"),
        *("-preset", "ultrafast", "-crf", "16"),
        *("-x265-params", f"{_X265}:transfer={transfer}{more}"),
    )


CLIPS: dict[str, tuple[str, ...]] = {
    "plain.mp4": (*_BARS, *_TONE, *_H264, "-metadata", "title=Bars and tone"),
    "ntsc.mkv": (*_lavfi("testsrc2=s=320x180:r=24000/1001:d=2"), *_TONE, *_H264),
    "odd.mp4": (*_lavfi("testsrc2=s=853x479:r=25:d=1"), "-pix_fmt", "yuv444p", *_H264),
    "wide.mkv": (*_lavfi("testsrc2=s=360x288:r=25:d=1"), "-vf", "setsar=64/45", *_H264),
    "silent.mp4": (*_BARS, *_H264),
    "surround.mkv": (
        *(*_BARS, *_TONE, "-filter_complex", f"[1:a]{_SIX}[a]"),
        *("-map", "0:v", "-map", "[a]", *_H264),
    ),
    "variable.mp4": (*_BARS, *_GAPS, *_H264),
    "variable.mkv": (*_BARS, *_GAPS, *_H264),
    "broadcast.ts": (*_BARS, *_TONE, *_H264),
    "late-sound.mp4": (*_BARS, "-itsoffset", "0.3", *_TONE, *_H264),
    "late-picture.mp4": ("-itsoffset", "0.33", *_BARS, *_TONE, *_H264),
    "interlaced.mp4": (
        *_lavfi("testsrc2=s=320x180:r=50:d=2"),
        *("-vf", "interlace", "-flags", "+ildct+ilme", *_H264),
    ),
    "pq.mp4": _hdr("smpte2084", f":{_MASTER}"),
    "hlg.mkv": _hdr("arib-std-b67"),
    "rgb.mkv": (*_lavfi("testsrc2=s=320x180:r=25:d=1"), "-c:v", "ffv1", "-pix_fmt", "gbrp"),
    "ten-bit.mkv": (*_BARS, "-pix_fmt", "yuv420p10le", *_H264),
    "fast.mkv": (*_lavfi("testsrc2=s=64x64:r=1000:d=0.5"), *_H264),
    "one-frame.mp4": (*_lavfi("testsrc2=s=64x64:r=25:d=0.04"), *_H264),
    "b-frames.avi": (*_BARS, *_TONE, "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"),
    "live.flv": (*_BARS, *_TONE, *_H264),
    "gops.mp4": (*_BARS, *_TONE, *_H264, "-preset", "fast", "-g", "25", "-bf", "2"),
    "turned.mp4": ("-display_rotation", "-90", "-i", "plain.mp4", "-c", "copy"),
    "edit-list.mp4": ("-ss", "1.3", "-i", "gops.mp4", "-c", "copy"),
    "cover.jpg": (*_lavfi("testsrc=s=64x64"), "-frames:v", "1"),
    "song.m4a": (
        *(*_TONE, "-i", "cover.jpg", "-map", "0", "-map", "1", "-c:a", "aac"),
        *("-c:v", "copy", "-disposition:v", "attached_pic"),
    ),
}
"""How each odd clip is made; later ones may be made from earlier ones."""


@dataclass(frozen=True)
class Made:
    """What a run of the planned command left behind."""

    media: Media
    plans: tuple[OutputPlan, ...]
    files: tuple[Path, ...]
    argv: tuple[str, ...]
    probe: Probe

    def found(self, place: int = 0) -> Media:
        return self.probe.inspect(self.files[place])


def make(
    probe: Probe,
    folder: Path,
    source: str,
    scratch: Path,
    *outputs: object,
    **of_input: object,
) -> Made:
    """Plan, run, and hold each file against its plan, as a worker does."""
    said = {"url": f"file:///{source}", **of_input}
    document = {"inputs": [said], "outputs": list(outputs)}
    recipe = parse_recipe(document, load_presets())
    media = probe.inspect(folder / source)
    plans = plan_outputs(media, recipe, stem="film")
    scratch.mkdir(exist_ok=True)
    (scratch / "source").symlink_to(folder / source)
    levels = _levels(scratch, plans)
    command = encode_command(media, plans, source="source", threads=2, levels=levels)
    ffmpeg(scratch, *command.argv)
    singles = {(one.index, _rendition(one)): one for one in single_files(plans)}
    for made in command.produces:
        path, plan = scratch / made.path, singles[made.output, made.rendition]
        check_output(plan, probe.inspect(path), probe.count(path), media)
    files = tuple(scratch / made.path for made in command.produces)
    return Made(media, plans, files, command.argv, probe)


def _rendition(plan: OutputPlan) -> str:
    return plan.rendition.key if plan.rendition else ""


def _levels(scratch: Path, plans: Sequence[OutputPlan]) -> dict[str, Level]:
    sounds = {key: (o, audio) for o in single_files(plans) for key, audio in o.sounds}
    levels: dict[str, Level] = {}
    for command in measure_commands(plans, source="source", threads=2):
        measured = _heard(scratch, command.argv)
        for key in command.sounds:
            output, audio = sounds[key]
            assert audio.loudness is not None
            tried = partial(_tried, scratch, output, audio)
            found = leveled(audio.loudness, measured, audio.habits, tried)
            levels |= {key: found.level} if found else {}
    return levels


def _tried(scratch: Path, output: OutputPlan, audio: AudioPlan, level: Level) -> Measured:
    runs = level_commands(output, audio, level, source="source", threads=2)
    for argv in runs[:-1]:
        ffmpeg(scratch, *argv)
    return _heard(scratch, runs[-1])


def _heard(scratch: Path, argv: Sequence[str]) -> Measured:
    log = ffmpeg(scratch, "-loglevel", "level+info", *argv, errors=True)
    found = measured_in(log.splitlines()[-20:])
    assert found is not None
    return found


def decoded_frames(path: Path, *, kind: str = "v") -> list[tuple[int, str]]:
    """Return (pts, checksum) of every decoded frame, in the stream's time base."""
    argv = ("-i", str(path), "-map", f"0:{kind}:0", "-fps_mode", "passthrough")
    text = ffmpeg(path.parent, *argv, "-enc_time_base", "demux", "-f", "framemd5", "-")
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return [(int(row[2]), row[5].strip()) for row in rows]


def decoded_samples(path: Path) -> int:
    """Return how many samples the sound has, counted by decoding it."""
    argv = ("-i", str(path), "-map", "0:a:0", "-f", "framecrc", "-")
    text = ffmpeg(path.parent, *argv)
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return sum(int(row[3]) for row in rows)
