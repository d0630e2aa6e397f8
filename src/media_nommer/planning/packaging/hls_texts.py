"""Subtitles in playlists of HLS."""

from collections.abc import Sequence
from math import ceil

from media_nommer.planning.packaging.hls_lines import (
    VERSION,
    attributes,
    playlist_head,
    playlist_text,
)
from media_nommer.planning.packaging.languages import language_tag
from media_nommer.planning.packaging.names import playlist_name
from media_nommer.planning.packaging.texts import PackedText, text_name

#: By which name choices of a picture tell of their subtitles.
TEXTS_GROUP = "subtitles"

_FOR_THE_DEAF = (
    "public.accessibility.transcribes-spoken-dialog,"
    "public.accessibility.describes-music-and-sound"
)


def text_playlist(packed: PackedText, keys: Sequence[str] = ()) -> str:
    """Return the playlist of one track, which is one segment.

    Subtitles alone may have another target duration than all others.
    """
    lines = playlist_head(VERSION, max(1, ceil(packed.length)))
    lines += keys
    lines += [f"#EXTINF:{float(packed.length):.6f},", text_name(packed.base)]
    return playlist_text([*lines, "#EXT-X-ENDLIST"])


def text_media(packed: PackedText) -> str:
    """Return what a master playlist tells of one track."""
    told = packed.rendition
    language = language_tag(told.language)
    chosen = told.default or told.forced or language is not None
    return "#EXT-X-MEDIA:" + attributes(
        ("TYPE", "SUBTITLES"),
        ("GROUP-ID", f'"{TEXTS_GROUP}"'),
        ("NAME", f'"{told.title}"'),
        ("LANGUAGE", f'"{language}"' if language else None),
        ("DEFAULT", "YES" if told.default else "NO"),
        ("AUTOSELECT", "YES" if chosen else "NO"),
        ("FORCED", "YES" if told.forced else "NO"),
        ("CHARACTERISTICS", f'"{_FOR_THE_DEAF}"' if told.hearing_impaired else None),
        ("URI", f'"{playlist_name(packed.base)}"'),
    )
