"""From a document to the job that it asks for: its recipe, its id, its outputs' names."""

import hashlib
import json
import secrets
from datetime import datetime
from pathlib import PurePosixPath

from media_nommer.core.errors import BadRequest
from media_nommer.core.jobs import Job, JobId, Output, Priority
from media_nommer.core.recipes import Recipe
from media_nommer.core.recipes.codecs import Container, usual_extension
from media_nommer.core.recipes.extra_settling import extension_of
from media_nommer.core.recipes.extras import ExtraOutput
from media_nommer.core.recipes.names import safe_stem
from media_nommer.core.recipes.own import OwnOutput
from media_nommer.core.recipes.own_reading import own_extension
from media_nommer.core.recipes.places import name_of

_LONGEST_KEY = 256


def job_id_for(key: str | None, caller: str, now: datetime) -> JobId:
    """Return the id of a caller's job: one that follows from its key, if it has one.

    Raises:
        BadRequest: the key is too long, or empty.
    """
    return new_job_id(now) if key is None else _derived_id(key, caller)


def new_job_id(now: datetime) -> JobId:
    """Return an id that nobody else has, and that sorts by ``now`` to the millisecond."""
    return JobId(f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(7)}")


def new_job(
    job_id: JobId, recipe: Recipe, now: datetime, *, deadline: datetime | None
) -> Job:
    """Return the job that a recipe asks for, on no record yet."""
    return Job(
        id=job_id,
        recipe=recipe.model_dump(mode="json"),
        source=recipe.inputs[0].url,
        priority=Priority(recipe.priority),
        group=recipe.group or "",
        tags=recipe.tags,
        presets=_presets_of(recipe),
        outputs=tuple(Output(name=name) for name in output_names(recipe)),
        created_at=now,
        changed_at=now,
        deadline=deadline,
    )


def output_names(recipe: Recipe) -> tuple[str, ...]:
    """Return how each output is called before the source was looked at.

    What only the source can tell (its height, the number of a picture) stays in braces.
    """
    stem = safe_stem(PurePosixPath(name_of(recipe.inputs[0].url)).stem)
    names = []
    for output in recipe.outputs:
        name: str = getattr(output, "name", None) or "{stem}"
        container: Container | None = getattr(output, "container", None)
        sound = getattr(getattr(output, "audio", None), "codec", None)
        extension = usual_extension(container, sound) if container else "jpg"
        if isinstance(output, ExtraOutput):
            extension = extension_of(output)
        elif isinstance(output, OwnOutput):
            extension = own_extension(output)
        filled = name.replace("{preset}", getattr(output, "from_preset", None) or "")
        names.append(filled.replace("{ext}", extension).replace("{stem}", stem))
    return tuple(names)


def _derived_id(key: str, caller: str) -> JobId:
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise BadRequest(f"an Idempotency-Key has 1 to {_LONGEST_KEY} characters")
    digest = hashlib.sha256(json.dumps([caller, key]).encode()).hexdigest()
    return JobId(f"k{digest[:31]}")


def _presets_of(recipe: Recipe) -> tuple[str, ...]:
    named = (getattr(output, "from_preset", None) for output in recipe.outputs)
    return tuple(sorted({name for name in named if name}))
