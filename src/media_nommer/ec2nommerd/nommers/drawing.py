"""Bringing within reach what is drawn onto pictures: images, text, a font."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copyfile

from media_nommer.core.errors import MediaError, NotMedia, SourceNotFound
from media_nommer.core.ports.probe import Probe
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.drawing import FONT, Mark
from media_nommer.planning.plan import OutputPlan, drawings_of

#: The one font that text is drawn in; what it lacks is looked for among the machine's.
_SHIPPED = files("media_nommer.ec2nommerd") / "fonts" / "DejaVuSans.ttf"


def fetch_drawings(probe: Probe, work: Work, plans: Sequence[OutputPlan]) -> None:
    """Bring images and text into scratch, and a font where there is text.

    Raises:
        StorageError: an image cannot be read.
        MediaError: it is none.
    """
    drawings = drawings_of(plans)
    for drawing in drawings:
        for mark in drawing.marks:
            _fetch(probe, work, mark)
        for lettering in drawing.letterings:
            text = lettering.content
            (work.scratch / lettering.path).write_text(text, encoding="utf-8")
    if any(drawing.needs_font for drawing in drawings):
        _place_font(work.scratch / FONT)


def _fetch(probe: Probe, work: Work, mark: Mark) -> None:
    path = work.scratch / mark.path
    if path.exists():  # outputs that are made one by one may share it
        return
    try:
        work.engine.storage.fetch(mark.url, path, stop=work.stop)
        found = probe.inspect(path)
    except SourceNotFound as error:
        raise SourceNotFound(f"{mark.where}.url: {error.message}") from error
    except MediaError as error:
        raise NotMedia(f"{mark.where}.url: {error.message}", advice=_ADVICE) from error
    if found.picture is None:
        raise NotMedia(f"{mark.where}.url: there is no picture in it", advice=_ADVICE)


_ADVICE = "Give the URL of a PNG, JPEG or WebP file."


def _place_font(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with as_file(_SHIPPED) as font:
        copyfile(font, path)
