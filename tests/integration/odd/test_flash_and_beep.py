"""Picture and sound are as far apart in every output as in its source, to 5 ms.

The square flashes when the beep begins. Where a source itself has them apart, because one
begins late or early, its edit list cuts in, or a codec puts silence before its sound, that
is what outputs have too, whatever the container has to say it with.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.odd_seeing import see
from tests.odd_sources import SOURCES, ffmpeg, make, sound

from media_nommer.adapters.objects.paths import file_url
from media_nommer.conf.settings import Settings
from media_nommer.core.jobs import JobState
from media_nommer.embedded import embedded

_TOGETHER = 0.005  # seconds
_PICTURE = SOURCES["name"]
_QUICK = {"speed": "ultrafast", "height": 90}
_COPY = ("-c", "copy")
_LATE = ("-itsoffset", "0.337")

#: How each source is made of a plain film, in which flash and beep are together.
CLIPS: dict[str, Sequence[str]] = {
    "late-sound.mp4": ("-i", "plain.mp4", *_LATE, "-i", "plain.mp4"),
    "late-picture.mkv": (*_LATE, "-i", "plain.mp4", "-i", "plain.mp4"),
    "cut.mkv": ("-ss", "0.5", "-i", "plain.mp4", "-ss", "0.5", "-i", "plain.mp4"),
    "sparse.mp4": ("-i", "plain.mp4", "-f", "lavfi", "-i", sound(rate=44100)),
}
FILES: dict[str, dict[str, Any]] = {
    "a.mp4": {},
    "b.mov": {"audio": {"codec": "pcm"}},
    "c.mkv": {"audio": {"codec": "ac3"}},
    "d.ts": {},
    "e.webm": {"video": {**_QUICK, "codec": "vp9"}},
    "f.mp4": {"audio": {"codec": "opus"}},
    "g.ts": {"audio": {"codec": "mp3"}},
    "h.mkv": {"audio": {"codec": "vorbis"}},
}
_STREAMS = {
    "kind": "adaptive",
    "gop": 1,
    "segment_duration": 1,
    "video": {"speed": "ultrafast"},
    "ladder": [{"height": 90, "max_bitrate": 300}],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every clip in every container, in a folder of its own each."""
    folder = tmp_path_factory.mktemp("apart")
    make(folder, _PICTURE).rename(folder / "plain.mp4")
    for name, said in CLIPS.items():
        codecs = ("-c:v", "copy", "-c:a", "aac") if name == "sparse.mp4" else _COPY
        ffmpeg(folder, *said, "-map", "0:v", "-map", "1:a", *codecs, name)
    for name in ("negative-start", "edit-list", "recorded"):
        make(folder, SOURCES[name])
    files = [{"name": name, "video": _QUICK, **said} for name, said in FILES.items()]
    streams = [
        {**_STREAMS, "name": "ranges/index.{ext}"},
        {**_STREAMS, "name": "ts/index.m3u8", "segments": "ts"},
    ]
    with embedded(Settings(), folder) as here:
        for source in sorted(path for path in folder.iterdir() if path.is_file()):
            for wanted in (files, streams):
                here.submit(
                    {
                        "inputs": [{"url": file_url(source)}],
                        "destination": file_url(folder / f"{source.name}-made"),
                        "outputs": wanted,
                    }
                )
        jobs = here.run()
    assert [job.failure for job in jobs if job.state is not JobState.FINISHED] == []
    return folder


@pytest.mark.parametrize(
    "name",
    ["plain.mp4", *CLIPS, "negative-start.mp4", "edit-list.mp4", "recorded.webm"],
)
def test_flash_and_beep_are_as_far_apart_in_every_container_as_in_the_source(
    name: str, made: Path
) -> None:
    folder = made / f"{name}-made"
    outputs = [folder / each for each in FILES]
    outputs += [folder / "ranges/index.m3u8", folder / "ranges/index.mpd"]
    outputs.append(folder / "ts/index.m3u8")

    source = see(made / name).apart
    found = {str(path.relative_to(folder)): see(path).apart for path in outputs}

    assert source is not None
    off = {
        output: apart
        for output, apart in found.items()
        if apart is None or abs(apart - source) > _TOGETHER
    }
    assert off == {}
