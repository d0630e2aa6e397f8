"""What the user asked for: the recipe document and how it is read."""

from media_nommer.core.recipes.documents import (
    Audio,
    FileOutput,
    Input,
    Output,
    PresetOutput,
    Recipe,
    ThumbnailsOutput,
    Video,
)
from media_nommer.core.recipes.reading import parse_recipe, resolve_presets

__all__ = [
    "Audio",
    "FileOutput",
    "Input",
    "Output",
    "PresetOutput",
    "Recipe",
    "ThumbnailsOutput",
    "Video",
    "parse_recipe",
    "resolve_presets",
]
