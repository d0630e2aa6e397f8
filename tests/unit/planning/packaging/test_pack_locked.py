"""Files that are encrypted whole, and the playlists that name their key."""

from dataclasses import replace

from packing_samples import ENGLISH, LARGE, adaptive, text

from media_nommer.core.recipes.encryption import Encryption
from media_nommer.planning.packaging.package import (
    KeyFile,
    Packing,
    Piece,
    Writing,
    package,
)
from media_nommer.planning.plan import OutputPlan

WITH_URL = Encryption(scheme="aes-128", key="0" * 32, key_url="skd://1?a=b&c")
PUBLISHED = Encryption(scheme="aes-128", publish_key=True)


def locked(encryption: Encryption, segments: str = "files") -> tuple[Packing, ...]:
    made = (LARGE, ENGLISH)
    output = adaptive(*made, segments=segments, formats=("hls",))
    assert output.adaptive is not None
    plan = replace(output.adaptive, encryption=encryption)
    whole: OutputPlan = replace(output, adaptive=plan)
    return package(whole, made, [text(1)], publication="id")


def test_segments_are_locked_by_their_numbers_and_headers_are_not() -> None:
    files = locked(WITH_URL)

    pieces = {f.name: f.locked for f in files if isinstance(f, Piece)}
    assert pieces == {
        "film/v1-720p-id/init.mp4": None,
        "film/v1-720p-id/00001.m4s": 0,
        "film/v1-720p-id/00002.m4s": 1,
        "film/a1-eng-id/init.mp4": None,
        "film/a1-eng-id/00001.m4s": 0,
        "film/a1-eng-id/00002.m4s": 1,
    }
    texts = {f.name: f.locked for f in files if isinstance(f, Writing)}
    assert texts == {
        "film/s1-eng-id.vtt": 0,
        "film/s1-eng-id.m3u8": None,
        "film/v1-720p-id.m3u8": None,
        "film/a1-eng-id.m3u8": None,
        "film/index.m3u8": None,
    }


def test_every_playlist_of_segments_names_the_key_after_what_is_in_the_clear() -> None:
    texts = {f.name: f.text for f in locked(WITH_URL) if isinstance(f, Writing)}

    key = '#EXT-X-KEY:METHOD=AES-128,URI="skd://1?a=b&c"'
    for name in ("v1-720p-id", "a1-eng-id", "s1-eng-id"):
        lines = texts[f"film/{name}.m3u8"].splitlines()
        assert lines.count(key) == 1
        assert lines[lines.index(key) + 1].startswith("#EXTINF")
    assert "I-FRAME" not in texts["film/index.m3u8"]
    assert "KEY" not in texts["film/index.m3u8"]


def test_a_key_is_published_only_where_that_is_asked_for() -> None:
    files = locked(PUBLISHED, "ts")

    assert files[0] == KeyFile("film/key-id.key")
    playlists = [f.text for f in files if isinstance(f, Writing) and "EXTINF" in f.text]
    assert len(playlists) == 3
    assert all('URI="key-id.key"' in each for each in playlists)
    assert not any(isinstance(f, KeyFile) for f in locked(WITH_URL))
    assert "0" * 32 not in str(locked(WITH_URL))


def test_what_is_told_of_sizes_is_of_what_is_encrypted() -> None:
    (master,) = [f for f in locked(WITH_URL) if f.name.endswith("index.m3u8")]

    assert isinstance(master, Writing)
    larger = (1_500_000 + 16 + 1_200_000 + 16) * 8 / 9.009
    sound = next(p for p in master.text.split(",") if p.startswith("AVERAGE-BANDWIDTH"))
    assert int(sound.partition("=")[2]) > larger
