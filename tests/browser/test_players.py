"""What we make, played by the players that people use, in a real browser."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.adaptive_films import SPOKEN, av_probe, film, stream, with_texts
from tests.browser.browsing import LIBRARIES, browser, site
from tests.http_server import Site

SOAK = os.environ.get("NOMMER_SOAK")
#: A key that is laid beside the playlists.
LOCKED = {"scheme": "aes-128", "publish_key": True}
FRAMED = {
    "scheme": "cenc",
    "key": "00112233445566778899aabbccddeeff",
    "key_id": "a0" * 16,
    "audio_key": "0f0e0d0c0b0a09080706050403020100",
    "audio_key_id": "b1" * 16,
    "key_url": "https://keys.example/1",
}
KEYS = [f"{FRAMED[f'{of}key_id']}:{FRAMED[f'{of}key']}" for of in ("", "audio_")]
_PATIENCE = 90_000  # milliseconds: the machine may be slow, and nothing waits for long


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with one film of six seconds, its segments in every form."""
    folder = tmp_path_factory.mktemp("streamed")
    bare = film(tmp_path_factory.mktemp("films") / "film.mp4", seconds=6)
    source = with_texts(bare, bare.with_suffix(".mkv"), *SPOKEN)
    with av_probe(tmp_path_factory.mktemp("scratch")) as probe:
        for kind in ("ranges", "files", "ts") if SOAK else ("ranges", "files"):
            stream(probe, source, folder / kind, segments=kind)
        if SOAK:
            stream(probe, source, folder / "groups", audio_groups=[{"codec": "eac3"}])
            stream(probe, source, folder / "locked-ts", segments="ts", encryption=LOCKED)
            cbcs = {**FRAMED, "scheme": "cbcs"}
            stream(probe, source, folder / "cbcs", segments="files", encryption=cbcs)
        stream(probe, source, folder / "locked", encryption=LOCKED)
        stream(probe, source, folder / "cenc", encryption=FRAMED)
    for scratch in folder.glob("*/scratch"):
        shutil.rmtree(scratch)
    with site(folder) as served:
        yield served


class Screen:
    """A page that plays one manifest with one player."""

    def __init__(
        self, page: Page, films: Site, player: str, manifest: str, *keys: str
    ) -> None:
        self.page, self.site = page, films
        page.set_default_timeout(_PATIENCE)
        said = ",".join((player, f"/lib/{LIBRARIES[player]}", manifest, *keys))
        page.goto(f"{films.url('player.html')}#{said}")
        self.until("seen.player && seen.heights().length == 2 && seen.state().ready > 1")

    def until(self, condition: str) -> dict[str, Any]:
        """Wait until a condition holds, or the player tells of an error.

        Return how it all was at that very moment: the film goes on.
        """
        errors, seen = "{errors: seen.errors()}", "{...seen.state(), cues: seen.cues()}"
        found: dict[str, Any] = self.page.wait_for_function(
            f"() => seen.errors().length ? {errors} : ({condition}) && {seen}"
        ).json_value()
        assert "errors" not in found, found
        return found

    def do(self, what: str) -> None:
        """Do something; what comes of it is waited for apart."""
        self.page.evaluate(f"() => {{ {what} }}")


def _in_the_soak(player: str, manifest: str) -> object:
    """Give what CI has not the time for."""
    soak = pytest.mark.skipif(not SOAK, reason="takes a while; set NOMMER_SOAK")
    return pytest.param(player, manifest, marks=soak)


@pytest.mark.parametrize(
    ("player", "manifest"),
    [
        ("hls", "/ranges/film/index.m3u8"),
        ("dash", "/ranges/film/index.mpd"),
        ("shaka", "/files/film/index.mpd"),
        _in_the_soak("shaka", "/groups/film/index.m3u8"),
        _in_the_soak("hls", "/groups/film/index.m3u8"),
        _in_the_soak("dash", "/groups/film/index.mpd"),
        _in_the_soak("shaka", "/groups/film/index.mpd"),
        _in_the_soak("hls", "/files/film/index.m3u8"),
        _in_the_soak("hls", "/ts/film/index.m3u8"),
        _in_the_soak("dash", "/files/film/index.mpd"),
        _in_the_soak("shaka", "/ranges/film/index.mpd"),
        _in_the_soak("shaka", "/ranges/film/index.m3u8"),
    ],
)
def test_a_player_plays_seeks_and_changes_renditions(
    player: str, manifest: str, chromium: Browser, films: Site
) -> None:
    page = chromium.new_page()
    screen = Screen(page, films, player, manifest)

    screen.do("seen.choose(180)")
    screen.do("seen.play()")
    played = screen.until(
        "seen.state().time > 0.5 && seen.state().frames > 5 && seen.state().sound > 0"
    )
    screen.do("seen.seek(4.1)")
    screen.until("seen.state().time > 4.3")
    screen.do("seen.choose(90)")
    screen.until("seen.repeat(4.1, 5.5) && seen.state().height == 90 && seen.calm()")
    screen.do("seen.seek(0.1)")
    small = screen.until("seen.state().height == 90 && seen.state().time < 3")
    screen.do("seen.choose(180)")
    screen.until("seen.repeat(0.1, 3) && seen.state().height == 180 && seen.calm()")
    screen.do("seen.seek(5.3)")
    last = screen.until("seen.ends(5.3)")
    page.close()

    assert played["duration"] == pytest.approx(6, abs=0.1)
    assert small["frames"] > 5
    assert last["time"] == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    ("player", "manifest"),
    [
        ("hls", "/ranges/film/index.m3u8"),
        ("dash", "/ranges/film/index.mpd"),
        ("shaka", "/files/film/index.mpd"),
        _in_the_soak("hls", "/ts/film/index.m3u8"),
        _in_the_soak("shaka", "/ranges/film/index.m3u8"),
    ],
)
def test_a_player_shows_the_subtitles_that_are_chosen(
    player: str, manifest: str, chromium: Browser, films: Site
) -> None:
    page = chromium.new_page()
    screen = Screen(page, films, player, manifest)
    listed = page.evaluate("seen.texts()")

    screen.do("seen.show('eng')")
    english = screen.until("seen.repeat(0.6, 1.9) && seen.cues().length")["cues"]
    screen.do("seen.show('fra (forced)')")
    screen.until("seen.repeat(0.6, 1.9) && seen.cues().join().includes('Bonjour')")
    screen.until("seen.repeat(3.6, 5) && !seen.cues().length")
    page.close()

    assert sorted(listed) == ["eng", "eng (SDH)", "fra (forced)"]
    assert "Hello" in english[0]


@pytest.mark.parametrize(
    ("player", "manifest"),
    [
        ("hls", "/locked/film/index.m3u8"),
        _in_the_soak("hls", "/locked-ts/film/index.m3u8"),
        _in_the_soak("shaka", "/locked/film/index.m3u8"),
    ],
)
def test_a_player_that_finds_the_key_plays_what_is_encrypted_whole(
    player: str, manifest: str, chromium: Browser, films: Site
) -> None:
    page = chromium.new_page()
    screen = Screen(page, films, player, manifest)

    screen.do("seen.show('eng')")
    screen.until("seen.repeat(2.6, 3.4) && seen.cues().join().includes('Good bye')")
    state = screen.until("seen.state().frames > 0 && seen.state().sound > 0")
    page.close()

    assert state["duration"] == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    ("player", "manifest"),
    [
        ("dash", "/cenc/film/index.mpd"),
        _in_the_soak("shaka", "/cenc/film/index.mpd"),
        _in_the_soak("shaka", "/cbcs/film/index.mpd"),
        _in_the_soak("dash", "/cbcs/film/index.mpd"),
    ],
)
def test_a_player_with_the_keys_plays_what_is_encrypted_frame_by_frame(
    player: str, manifest: str, chromium: Browser, films: Site
) -> None:
    page = chromium.new_page()
    screen = Screen(page, films, player, manifest, *KEYS)

    screen.do("seen.choose(180)")
    screen.do("seen.play()")
    screen.until("seen.state().time > 0.5 && seen.state().frames > 5")
    screen.do("seen.choose(90)")
    screen.until("seen.repeat(0.1, 3) && seen.state().height == 90 && seen.calm()")
    screen.do("seen.seek(4.1)")
    state = screen.until("seen.state().time > 4.3 && seen.state().sound > 0")
    encrypted = page.evaluate("video.mediaKeys !== null")
    page.close()

    assert encrypted
    assert state["duration"] == pytest.approx(6, abs=0.1)
