"""What a package needs that makes outputs of a kind of its own.

All that is listed here lasts: within a version, nothing of it goes or changes its meaning.
"""

from media_nommer.core.errors import (
    EncodeError,
    InvalidRecipe,
    NommerError,
    NoStreams,
    OutputDamaged,
    WorkStopped,
)
from media_nommer.core.media import (
    AudioStream,
    Media,
    OtherStream,
    SubtitleStream,
    VideoStream,
)
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.own_nommers import Making, OutputNommer

__all__ = [
    "AudioStream",
    "EncodeError",
    "InvalidRecipe",
    "Making",
    "Media",
    "NoStreams",
    "NommerError",
    "OtherStream",
    "OutputDamaged",
    "OutputNommer",
    "OwnOutput",
    "SubtitleStream",
    "VideoStream",
    "WorkStopped",
]
