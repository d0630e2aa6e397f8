"""The picture that goes with a sound, as players of music show it."""

from collections.abc import Mapping

from media_nommer.core.media import Media
from media_nommer.core.recipes.codecs import Container
from media_nommer.core.recipes.documents import FileOutput
from media_nommer.planning.inputs.joining import is_joined

#: Of which pictures FFmpeg's muxers make a cover that players know.
_PICTURES: Mapping[Container, tuple[str, ...]] = {
    "m4a": ("mjpeg", "png"),
    "mp3": ("mjpeg", "png"),
    "flac": ("mjpeg", "png"),
}


#: Of a source that is opened for its cover: this ends with it. Where the sounds and the
#: cover come out of one reading, FFmpeg waits for more of the cover for ever.
COVER_ALONE = ("-t", "0.02")


def kept_cover(media: Media, output: FileOutput, container: Container) -> int | None:
    """Return the stream that is the cover of a sound alone, None where there is none.

    Sounds of several files, or put together, have none.
    """
    if output.video is not None or output.cover is None or is_joined(media):
        return None
    known = _PICTURES.get(container, ())
    covers = (s for s in media.video if s.attached_picture and s.codec in known)
    return next((s.index for s in covers if s.width > 0 and s.height > 0), None)


def cover_options(cover: int | None) -> tuple[str, ...]:
    """Return the options by which a picture is copied as the front cover."""
    if cover is None:
        return ()
    return (
        *("-c:v", "copy", "-disposition:v", "attached_pic"),
        *("-metadata:s:v", "comment=Cover (front)"),
    )
