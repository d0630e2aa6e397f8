"""From what was found and what was asked for to the plan of every output."""

from dataclasses import replace

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.media import Media
from media_nommer.core.recipes.documents import (
    AdaptiveOutput,
    FileOutput,
    Recipe,
    ThumbnailsOutput,
)
from media_nommer.core.recipes.extras import ExtraOutput
from media_nommer.core.recipes.input_settling import unmade_problem
from media_nommer.core.recipes.names import fill_template, safe_stem
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.planning.extras.extras import plan_extra
from media_nommer.planning.films import plan_film
from media_nommer.planning.inputs.cutting import taken
from media_nommer.planning.inputs.joining import is_joined
from media_nommer.planning.naming import check_names, safe_name
from media_nommer.planning.own import plan_own
from media_nommer.planning.pictures.moments import thumbnail_times
from media_nommer.planning.pictures.sizes import fitted_size, shown_size
from media_nommer.planning.plan import OutputPlan, ThumbnailPlan
from media_nommer.planning.texts.burning import with_burnt_files
from media_nommer.planning.video import picture_of


def plan_outputs(media: Media, recipe: Recipe, *, stem: str) -> tuple[OutputPlan, ...]:
    """Return the plan of every output of ``recipe``.

    ``media`` is the one source, or the film that several make (``film_of``); ``stem`` is
    the first source's file name without its extension. One output that cannot be made
    refuses the whole recipe: it is found out before anything costs anything. A source
    without sound makes silent films.

    Raises:
        NoStreams: an output needs a picture or a sound that the source lacks, or the recipe
            names a track that it has not.
        InvalidRecipe: the part asked for lies behind the end; a container, codec or level
            cannot hold what the source has; two outputs would have one name, or a name
            would not be safe.
        MediaError: thumbnails depend on a length that nothing tells.
    """
    cut = None
    recipe = with_burnt_files(recipe, media)
    if not is_joined(media):
        media, cut = taken(media, recipe.inputs[0])
    plans: list[OutputPlan] = []
    for index, output in enumerate(recipe.outputs):
        if is_joined(media) and (wrong := unmade_problem(output)):
            raise InvalidRecipe(f"outputs[{index}]{wrong}")
        if isinstance(output, FileOutput | AdaptiveOutput):
            plans.append(plan_film(media, output, index, stem, whole=cut is None))
        elif isinstance(output, ThumbnailsOutput) and not output.poster:
            plans.append(_plan_thumbnails(media, output, index, stem))
        elif isinstance(output, OwnOutput):
            plans.append(_plan_own(media, output, index, stem))
        else:
            plans.append(_plan_extra(media, output, index, stem))
        whole = cut is None and not is_joined(media) and plans[-1].pace == 1
        plans[-1] = replace(plans[-1], cut=cut, expect=output.expect, chapters=whole)
    check_names(plans)
    return tuple(plans)


def _plan_thumbnails(
    media: Media, output: ThumbnailsOutput, index: int, stem: str
) -> OutputPlan:
    where = f"outputs[{index}]"
    stream = picture_of(media, where)
    size = fitted_size(shown_size(stream), output.width, output.height)
    times = thumbnail_times(output, media, stream, where=where)
    values: dict[str, str | int] = {
        "stem": safe_stem(stem),
        "preset": safe_stem(output.from_preset or "thumbnails"),
        "codec": "jpeg",
        "ext": "jpg",
        "width": size.width,
        "height": size.height,
    }
    template = output.name or "{stem}-{number:04d}.{ext}"
    names = tuple(
        safe_name(fill_template(template, {**values, "number": number}), where)
        for number in range(1, len(times) + 1)
    )
    return OutputPlan(
        index=index,
        kind="thumbnails",
        names=names,
        container="jpeg",
        thumbnails=ThumbnailPlan(
            stream=stream.index,
            width=size.width,
            height=size.height,
            times=times,
            quality=output.quality,
        ),
    )


def _plan_extra(
    media: Media, output: ExtraOutput | ThumbnailsOutput, index: int, stem: str
) -> OutputPlan:
    where = f"outputs[{index}]"
    extra = plan_extra(media, output, stem, where)
    names = tuple(safe_name(name, where) for name in extra.names)
    return OutputPlan(index=index, kind=output.kind, names=names, extra=extra)


def _plan_own(media: Media, output: OwnOutput, index: int, stem: str) -> OutputPlan:
    where = f"outputs[{index}]"
    planned = plan_own(media, output, stem, where)
    names = tuple(safe_name(name, where) for name in planned.names)
    return OutputPlan(index=index, kind=output.kind, names=names, extra=planned)
