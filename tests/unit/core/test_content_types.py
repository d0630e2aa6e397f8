import pytest

from media_nommer.core.content_types import content_type_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b.MP4", "video/mp4"),
        ("m.m3u8", "application/vnd.apple.mpegurl"),
        ("m.mpd", "application/dash+xml"),
        ("a.b/mp4", None),
        ("a.b/.mp4", None),
        ("odd.thing", None),
        ("mp4", None),
    ],
)
def test_a_name_tells_its_content_type(name: str, expected: str | None) -> None:
    assert content_type_of(name) == expected
