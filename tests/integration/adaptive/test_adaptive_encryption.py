"""Encrypted segments of real films, decrypted by FFmpeg's own reader of playlists."""

from pathlib import Path

import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser
from tests.adaptive_films import SPOKEN, Streamed, ffmpeg, film, stream, with_texts

from media_nommer.core.ports.probe import Probe

KEY = "00112233445566778899aabbccddeeff"
_SMALL = {
    "video": {"speed": "ultrafast", "height": 64},
    "ladder": None,
    "encryption": {"scheme": "aes-128", "key": KEY, "publish_key": True},
}
AUDIO_KEY = "0f0e0d0c0b0a09080706050403020100"
FRAMED = {
    "key": KEY,
    "key_id": "a" * 32,
    "audio_key": AUDIO_KEY,
    "audio_key_id": "b" * 32,
    "key_url": "https://keys.example/1",
}
_FRAMES = 60


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoken")
    bare = film(folder / "film.mp4", rate="20", seconds=3)
    return with_texts(bare, folder / "film.mkv", SPOKEN[0])


@pytest.mark.parametrize("segments", ["files", "ts"])
def test_a_reader_with_the_key_plays_it_whole_and_nobody_without(
    segments: str, probe: Probe, spoken: Path, tmp_path: Path
) -> None:
    made = stream(probe, spoken, tmp_path, segments=segments, **_SMALL)

    assert _frames(made.master) == _FRAMES
    (key,) = made.named(".key")
    assert key.read_bytes().hex() == KEY
    for playlist in _playlists(made):
        assert playlist.keys[-1].method == "AES-128"
        assert playlist.keys[-1].iv is None
        for segment in playlist.segments:
            data = (made.master.parent / segment.uri).read_bytes()
            assert len(data) % 16 == 0
            assert not data.startswith(b"WEBVTT")
            assert b"moof" not in data[:100]
            assert data[: 3 * 188 : 188] != b"GGG"
    key.write_bytes(bytes(16))
    with pytest.raises(AssertionError):
        assert _frames(made.master) == _FRAMES


def test_players_can_read_what_comes_before_the_key(
    probe: Probe, spoken: Path, tmp_path: Path
) -> None:
    """RFC 8216: what is said before EXT-X-KEY is not encrypted by it."""
    url = {"scheme": "aes-128", "key": KEY, "key_url": "https://keys.example/1"}

    made = stream(probe, spoken, tmp_path, **{**_SMALL, "encryption": url})

    assert not made.named(".key")
    assert not m3u8.load(str(made.master)).iframe_playlists
    pictures = next(p for p in made.named(".m3u8") if p.name.startswith("v1"))
    lines = pictures.read_text().splitlines()
    place = lines.index('#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/1"')
    assert lines[place - 1].startswith("#EXT-X-MAP")
    assert all(b"ftyp" in path.read_bytes()[:8] for path in made.named("init.mp4"))
    assert KEY not in str(made.packaged.facts)
    assert made.packaged.facts["encryption"] == "aes-128"


@pytest.mark.parametrize(("scheme", "segments"), [("cbcs", "ranges"), ("cenc", "files")])
def test_frames_are_read_with_their_keys_and_not_without(
    scheme: str, segments: str, probe: Probe, spoken: Path, tmp_path: Path
) -> None:
    said = {**_SMALL, "encryption": {**FRAMED, "scheme": scheme}}

    made = stream(probe, spoken, tmp_path, segments=segments, **said)

    pictures, sound = (_whole(made, kind) for kind in ("v1", "a1"))
    assert _decoded(pictures, KEY) == _FRAMES
    assert _decoded(sound, AUDIO_KEY) > 100
    assert _decoded(pictures, AUDIO_KEY) == _decoded(sound, KEY) == 0
    assert not list(made.folder.rglob("*.flags"))
    lines = next(p for p in made.named(".m3u8") if p.name.startswith("v1")).read_text()
    method = {"cbcs": "SAMPLE-AES", "cenc": "SAMPLE-AES-CTR"}[scheme]
    key = f'#EXT-X-KEY:METHOD={method},URI="https://keys.example/1",KEYFORMAT="identity"'
    assert lines.count(key) == 1
    (period,) = MPEGDASHParser.parse(str(made.manifest)).periods
    told = [s.content_protections for s in period.adaptation_sets]
    assert [[p.value for p in each or ()] for each in told] == [
        *([scheme, None], [scheme, None], []),
    ]


def _playlists(made: Streamed) -> list[m3u8.M3U8]:
    master = m3u8.load(str(made.master))
    named = [p.uri for p in master.playlists] + [s.uri for s in master.media]
    assert len(named) == 3
    return [m3u8.load(str(made.master.parent / uri)) for uri in named]


def _frames(manifest: Path) -> int:
    text = ffmpeg(
        *("-allowed_extensions", "ALL", "-extension_picky", "0", "-i", str(manifest)),
        *("-map", "0:v", "-f", "framecrc", "-"),
    )
    return sum(not line.startswith("#") for line in text.splitlines())


def _whole(made: Streamed, kind: str) -> Path:
    """Return one file with all of a rendition: as it is, or put together."""
    names = [name for name in made.names if name.startswith(f"film/{kind}-")]
    media = [n for n in names if n.endswith((".mp4", ".m4a", ".m4s"))]
    path = made.folder / f"{kind}.mp4"
    path.write_bytes(b"".join((made.folder / name).read_bytes() for name in media))
    return path


def _decoded(path: Path, key: str) -> int:
    """Return how many frames can be decoded with a key without any fault."""
    try:
        text = ffmpeg(
            *("-xerror", "-err_detect", "explode", "-decryption_key", key),
            *("-i", str(path), "-f", "framecrc", "-"),
        )
    except AssertionError:
        return 0
    return sum(not line.startswith("#") for line in text.splitlines())
