"""Contact sheets: pictures of a film side by side, and where its scenes begin."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from media_nommer.nommers import (
    Making,
    Media,
    NoStreams,
    OutputDamaged,
    OutputNommer,
    OwnOutput,
)

_TIME = re.compile(r"pts_time:([0-9.]+)")


class ContactSheet(OwnOutput):
    """So many pictures in columns and rows, each ``width`` pixels wide.

    ``scenes`` is how much of a picture must change for a new scene, 0 to 1; null leaves
    scenes uncounted.
    """

    kind: Literal["contact-sheet"] = "contact-sheet"
    columns: Annotated[int, Field(ge=1, le=20)] = 4
    rows: Annotated[int, Field(ge=1, le=20)] = 4
    width: Annotated[int, Field(ge=32, le=1024, multiple_of=2)] = 240
    scenes: Annotated[float, Field(gt=0, lt=1)] | None = None


class ContactSheetNommer(OutputNommer[ContactSheet]):
    """Makes a JPEG, and where scenes are counted a list of their beginnings beside it."""

    document = ContactSheet
    name = "{stem}-contact.jpg"

    @override
    def plan(self, output: ContactSheet, media: Media, name: str) -> Sequence[str]:
        if media.picture is None or not media.duration:
            raise NoStreams(
                "a contact sheet needs a picture, and to know how long it lasts"
            )
        return (name, f"{name.rpartition('.')[0]}.json") if output.scenes else (name,)

    @override
    def make(self, output: ContactSheet, making: Making) -> Mapping[str, object]:
        sheet = self._draw(output, making)
        facts: dict[str, object] = {"format": "jpeg", "video": "mjpeg", **sheet}
        if output.scenes is not None:
            scenes = self._scenes(output.scenes, making)
            text = json.dumps({"version": 1, "scenes": scenes})
            (making.folder / making.names[1]).write_text(text, encoding="utf-8")
            facts["scenes"] = len(scenes)
        return facts

    def _draw(self, output: ContactSheet, making: Making) -> dict[str, int]:
        count = output.columns * output.rows
        step = (making.media.duration or 0) / count
        picture = making.media.picture
        assert picture is not None
        making.ffmpeg(
            *making.source,
            *("-map", f"0:{picture.index}", "-frames:v", "1", "-q:v", "3"),
            "-vf",
            f"fps=1/{step:.6f}:round=up:start_time=0,scale={output.width}:-2,setsar=1,"
            f"tile={output.columns}x{output.rows}",
            *("-f", "image2", "-update", "1", making.names[0]),
        )
        made = making.inspect(making.names[0]).picture
        if made is None or made.width != output.columns * output.width:
            raise OutputDamaged("the sheet is not as wide as its columns")
        return {"width": made.width, "height": made.height, "pictures": count}

    def _scenes(self, least: float, making: Making) -> list[float]:
        """Return the seconds at which scenes begin, the first of which is the film's."""
        found, picture = making.spare("txt"), making.media.picture
        assert picture is not None
        making.ffmpeg(
            *(*making.source, "-map", f"0:{picture.index}", "-vf"),
            f"select='gt(scene,{least:g})',metadata=print:file={found}",
            *("-f", "null", "-"),
        )
        text = (making.folder / found).read_text(encoding="utf-8")
        return [0.0, *(float(time) for time in _TIME.findall(text))]
