"""What the user asked for: the recipe document and how it is read."""

from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    Audio,
    FileOutput,
    Output,
    Recipe,
    Rung,
    ThumbnailsOutput,
    Video,
)
from media_nommer.core.recipes.inputs import Input
from media_nommer.core.recipes.reading import parse_recipe

__all__ = [
    "AdaptiveOutput",
    "Audio",
    "FileOutput",
    "Input",
    "Output",
    "Recipe",
    "Rung",
    "ThumbnailsOutput",
    "Video",
    "parse_recipe",
]
