"""What all documents of a recipe have in common."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Pixels = Annotated[int, Field(ge=16, le=16384)]
Template = Annotated[str, Field(min_length=1, max_length=1024)]
_QUOTIENT = r"([1-9][0-9]{0,6})/([1-9][0-9]{0,6})"
Header = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[ -~]+$")]


def _rate(said: object) -> object:
    """Return the quotient that a text such as ``30000/1001`` is."""
    if isinstance(said, str) and (parts := re.fullmatch(_QUOTIENT, said)):
        return int(parts[1]) / int(parts[2])
    return said


#: Frames a second, as a number or as the quotient that ``nommer probe`` writes.
FrameRate = Annotated[
    Annotated[float, Field(ge=1, le=240)],
    BeforeValidator(
        _rate,
        json_schema_input_type=Annotated[float, Field(ge=1, le=240)]
        | Annotated[str, Field(pattern=rf"^{_QUOTIENT}$")],
    ),
]

#: How near a picture is to what it was made from.
Metric = Literal["vmaf", "ssim", "psnr"]
Metrics = Annotated[tuple[Metric, ...], Field(max_length=3)]


class Document(BaseModel):
    """A part of the recipe; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ObjectTraits(Document):
    """How the objects of an output are kept and served, by storages that know of it.

    ``content_type`` is told by the name where it is left out. ``kms_key`` is the id or ARN
    of the key that S3 is to encrypt with; ``storage_class`` is the service's own word.
    """

    content_type: Header | None = None
    cache_control: Header | None = None
    storage_class: Annotated[str, Field(max_length=64, pattern=r"^[A-Z0-9_]+$")] | None = (
        None
    )
    kms_key: Header | None = None


class Expect(Document):
    """What an output must come to; one that does not fails, and the others stand.

    ``max_size`` is bytes over all of its files, durations are seconds. ``min_vmaf`` is for
    films, which are measured for it.
    """

    max_size: Annotated[int, Field(ge=1)] | None = None
    min_duration: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    max_duration: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    min_vmaf: Annotated[float, Field(ge=0, le=100)] | None = None


class AnyKind(Document):
    """What an output of any kind may say."""

    name: Template | None = None
    object: ObjectTraits | None = None
    expect: Expect | None = None
    from_preset: str | None = None
