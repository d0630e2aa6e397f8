"""Which subtitles become a part of the picture, where a recipe says it by their file."""

from media_nommer.core.media import Media
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    FileOutput,
    Output,
    Recipe,
)


def with_burnt_files(recipe: Recipe, media: Media) -> Recipe:
    """Return a recipe that names subtitles to burn in by their place among all.

    Files that a recipe gives come after what the source has itself.
    """
    first = len(media.subtitles) - len(recipe.inputs[0].subtitles)
    outputs = tuple(_named(output, first) for output in recipe.outputs)
    return recipe.model_copy(update={"outputs": outputs})


def _named(output: Output, first: int) -> Output:
    if not isinstance(output, FileOutput | AdaptiveOutput) or output.video is None:
        return output
    said = output.video.burn_in
    if said is None or said.file is None:
        return output
    place = {"file": None, "track": first + said.file}
    video = output.video.model_copy(update={"burn_in": said.model_copy(update=place)})
    return output.model_copy(update={"video": video})
