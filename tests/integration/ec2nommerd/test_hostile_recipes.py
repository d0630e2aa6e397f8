"""Recipes and sources that try to read, write or reach what is not theirs (rule 11)."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from studio import Studio
from tests.adaptive_films import ffmpeg

from media_nommer.adapters.objects import file_url
from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.jobs import Job, JobState

soak = pytest.mark.skipif(
    not os.environ.get("NOMMER_SOAK"), reason="it takes long: NOMMER_SOAK has it"
)

TINY: dict[str, Any] = {"codec": "h264", "speed": "ultrafast", "height": 36}
COPY: dict[str, Any] = {"video": {"codec": "copy"}, "audio": None, "subtitles": None}

#: Documents that make a careless reader fetch what they name.
LURES = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{file}\n#EXTINF:9,\n{web}\n"
    '#EXT-X-KEY:METHOD=AES-128,URI="{web}"\n#EXT-X-ENDLIST\n',
    "ffconcat": "ffconcat version 1.0\nfile '{file}'\nfile '{web}'\n",
    "dash": '<?xml version="1.0"?><MPD type="static"><BaseURL>{web}</BaseURL><Period>'
    "<AdaptationSet><Representation><BaseURL>{file}</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"><image width="64" height="48" '
    'xlink:href="{file}"/><image xlink:href="{web}"/></svg>',
    "mvg": "push graphic-context\nviewbox 0 0 64 48\nimage over 0,0 0,0 '{file}'\n"
    "image over 0,0 0,0 '{web}'\npop graphic-context\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/'
    'schemas/2067-3/2016"><Id>{web}</Id><SegmentList/></CompositionPlaylist>',
    "smil": "<smil><body><video src='{file}'/><video src='{web}'/></body></smil>",
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\n"
    "m=video 9 RTP/AVP 96\r\n",
}

#: Subtitles that name fonts, files and scripts, and try to end the line that they are in.
TEXTS = {
    "lure.ass": "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize\nStyle: Default,{file},20\n"
    "[Fonts]\nfontname: ../../../../escaped.ttf\n!!!!!!!!!!!!\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, "
    "MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{{\\fn{file}\\img({file})}}SEEN\n",
    "lure.srt": "1\n00:00:00,000 --> 00:00:01,000\n{{\\fn{file}}}"
    '<font face="{file}">SEEN</font>\n\n#EXTM3U\n{web}\n\n',
    "lure.vtt": "WEBVTT\n\nSTYLE\n::cue {{ background: url({web}) }}\n\n"
    "00:00.000 --> 00:01.000\n<c.x>SEEN</c>\n",
}

#: Names that mean more to FFmpeg, to a shell or to a browser than to a folder.
NAMES = (
    "file:escaped.mp4",
    "pipe:1.mp4",
    "tee:a|b.mp4",
    "concat:a|b.mp4",
    "http:/127.0.0.1/x.mp4",
    "%d-%05d-%s.mp4",
    "-y.mp4",
    "$(touch escaped)`touch escaped`;&'\".mp4",
    "a b#?%2e%2e%2f%00.mp4",
)


@pytest.fixture
def web() -> Iterator[socket.socket]:
    """A server that nobody is to call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=s=64x48:r=10:d=1", "-f", "lavfi", "-i", "sine=d=1"),
        *("-c:v", "libx264", "-c:a", "aac", str(path)),
    )
    return path


def filled(lure: str, film: Path, web: socket.socket) -> str:
    host, port = web.getsockname()
    return lure.format(file=film, web=f"http://{host}:{port}/film.mp4")


def nobody_called(web: socket.socket) -> bool:
    try:
        web.accept()
    except BlockingIOError:
        return True
    return False


def ended(studio: Studio, job: Job) -> Job:
    studio.work()
    return studio.engine.store.get_job(job.id)


def strays(folder: Path) -> list[Path]:
    """Return what was written elsewhere than to outputs and the work area."""
    known = {folder / "out", folder / "work", folder / "lures"}
    return [path for path in folder.iterdir() if path not in known]


@pytest.mark.parametrize(
    "kind", [k if k in {"hls", "svg"} else pytest.param(k, marks=soak) for k in LURES]
)
@pytest.mark.parametrize("use", ["input", pytest.param("sound", marks=soak), "image"])
def test_a_document_that_names_others_is_followed_by_nobody(
    kind: str, use: str, film: Path, web: socket.socket, tmp_path: Path
) -> None:
    lure = tmp_path / "lures" / f"film.{kind}"
    lure.parent.mkdir()
    lure.write_text(filled(LURES[kind], film, web))
    studio, url = Studio(tmp_path, film), file_url(lure)
    output: dict[str, Any] = {"name": "made.mp4", "video": TINY}
    inputs: list[dict[str, Any]] = [{"url": file_url(film)}]
    if use == "input":
        inputs = [{"url": url}]
    elif use == "sound":
        inputs[0]["audio"] = [{"url": url}]
    else:
        output["video"] = {**TINY, "watermarks": [{"url": url}]}

    done = ended(studio, studio.submit(output, inputs=inputs))

    assert done.state is JobState.FAILED
    assert studio.published() == []
    assert nobody_called(web)


@pytest.mark.parametrize(
    "name", ["lure.ass", *(pytest.param(n, marks=soak) for n in ("lure.srt", "lure.vtt"))]
)
def test_subtitles_show_their_words_and_fetch_nothing(
    name: str, film: Path, web: socket.socket, tmp_path: Path
) -> None:
    lure = tmp_path / "lures" / name
    lure.parent.mkdir()
    lure.write_text(filled(TEXTS[name], film, web))
    studio = Studio(tmp_path, film)
    inputs = [{"url": file_url(film), "subtitles": [{"url": file_url(lure)}]}]

    job = studio.submit(
        {"name": "burnt.mp4", "audio": None, "video": {**TINY, "burn_in": {}}},
        {"kind": "captions", "name": "said.vtt"},
        inputs=inputs,
    )
    done = ended(studio, job)

    assert done.state is JobState.FINISHED, done.failure
    said = (studio.out / "said.vtt").read_text()
    assert "SEEN" in said
    assert str(film) not in said
    assert nobody_called(web)
    assert strays(tmp_path) == []


def test_an_output_is_a_file_of_its_very_name_below_the_destination(
    film: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, film)

    done = ended(studio, studio.submit(*({**COPY, "name": name} for name in NAMES)))

    made = {str(p.relative_to(studio.out)) for p in studio.out.rglob("*") if p.is_file()}
    assert done.state is JobState.FINISHED, done.failure
    assert made == set(NAMES)
    assert strays(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        *("../x.mp4", "a/../../x.mp4", "/etc/x.mp4", "a\\..\\x.mp4", "a\nb.mp4", "a\0.mp4"),
        *(
            "..",
            ".",
            "a//b.mp4",
            "{stem.__class__}.mp4",
            "{stem!r}.mp4",
            "{number:>99}.mp4",
        ),
        *("{0}.mp4", "{stem[0]}.mp4", "\ud800.mp4", "a/./b.mp4"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(
    name: str, film: Path, tmp_path: Path
) -> None:
    studio = Studio(tmp_path, film)

    with pytest.raises(InvalidRecipe, match=r"outputs\[0\].name"):
        studio.submit({**COPY, "name": name})


def test_what_ffmpeg_would_expand_in_a_text_is_drawn_as_it_stands(
    film: Path, tmp_path: Path
) -> None:
    """Expanded, each frame would show another number, or the words of a file."""
    studio = Studio(tmp_path, film)
    texts = [
        {"text": "%{n} %{pts}", "size": 0.3, "position": "top"},
        {"text": f"':textfile={film}:text='\\%{{n}}", "size": 0.2},
    ]
    video = {"codec": "ffv1", "texts": texts}

    job = studio.submit(
        {"name": "drawn.mkv", "container": "mkv", "audio": None, "video": video}
    )
    done = ended(studio, job)

    assert done.state is JobState.FINISHED, done.failure
    listed = ffmpeg("-i", str(studio.out / "drawn.mkv"), "-f", "framemd5", "-")
    sums = {line.split()[-1] for line in listed.splitlines() if line[0] != "#"}
    plain = ffmpeg("-i", str(film), "-map", "0:v", "-f", "framemd5", "-")
    assert len(sums) == 1
    assert sums.isdisjoint(line.split()[-1] for line in plain.splitlines())
