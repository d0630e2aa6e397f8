"""Secrets of a job: sealed before it is on record, opened by its workers, gone at its end.

A record holds a reference in the place of each; what that stands for lies sealed in the
work area, in a folder of the job that goes when the job is final (rule 12).
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from media_nommer.core.errors import (
    InvalidRecipe,
    NoSealingKey,
    SecretsGone,
    SecretUnreadable,
    SourceNotFound,
    StorageError,
)
from media_nommer.core.jobs import JobId
from media_nommer.core.ports.sealer import Sealer
from media_nommer.core.recipes import Recipe
from media_nommer.core.recipes.secrets import SEALED, secrets_in, with_secrets
from media_nommer.core.workflow.engine import Engine


@dataclass(frozen=True, slots=True)
class SealedRecipe:
    """A recipe that can stand in a record, and the seals of its secrets by reference."""

    recipe: Recipe
    seals: tuple[tuple[str, bytes], ...] = ()


def sealed_recipe(engine: Engine, job_id: JobId, recipe: Recipe) -> SealedRecipe:
    """Return a recipe without its secrets, and these sealed; nothing is kept yet.

    Raises:
        InvalidRecipe: it refers to what nobody may refer to.
        NoSealingKey: it has secrets, and there is no key to seal them with.
    """
    found = list(secrets_in(recipe))
    if not found:
        return SealedRecipe(recipe)
    for place, secret in found:
        if secret.startswith(SEALED):
            raise InvalidRecipe(f"{place}: must be a key of 32 hexadecimal digits")
    sealer = engine.sealer
    if sealer is None:
        raise NoSealingKey(
            f"{found[0][0]}: is a secret, and there is no key to seal it with"
        )
    seals: dict[str, bytes] = {}

    def reference(secret: str) -> str:
        name = sealer.reference(secret.encode(), job_id)
        seals[name] = sealer.seal(secret.encode(), _context(job_id, name))
        return SEALED + name

    return SealedRecipe(with_secrets(recipe, reference), tuple(seals.items()))


def keep_seals(engine: Engine, job_id: JobId, sealed: SealedRecipe) -> None:
    """Put the seals of a job into the work area, before the job is on record.

    Raises:
        StorageError: the work area does not take them now.
    """
    for name, seal in sealed.seals:
        url = f"{engine.seals_url(job_id)}/{name}"
        standing = engine.storage.stat(url)
        before = None if standing is None else standing.version
        try:
            with TemporaryDirectory(prefix="nommer-seal-") as folder:
                path = Path(folder) / name
                path.write_bytes(seal)
                engine.storage.put(path, url, before=before)
        except OSError as error:
            raise StorageError(f"{url} cannot be written here: {error.strerror}") from error


def opened(engine: Engine, job_id: JobId, said: str) -> bytes:
    """Return the secret that a recipe on record says, or refers to.

    Raises:
        SecretUnreadable: this worker cannot open it.
        SecretsGone: it is not there any more.
    """
    if not said.startswith(SEALED):
        return said.encode()
    name = said.removeprefix(SEALED)
    return _opener(engine).unseal(_seal(engine, job_id, name), _context(job_id, name))


def drop_seals(engine: Engine, job_id: JobId) -> None:
    """Remove all secrets of a job; nothing happens where there are none."""
    engine.storage.delete_below(engine.seals_url(job_id))


def _opener(engine: Engine) -> Sealer:
    if engine.sealer is None:
        raise SecretUnreadable("a key is sealed, and this worker has none to open it with")
    return engine.sealer


def _seal(engine: Engine, job_id: JobId, name: str) -> bytes:
    try:
        return engine.storage.read(f"{engine.seals_url(job_id)}/{name}")
    except SourceNotFound as error:
        raise SecretsGone(f"the keys of job {job_id} were deleted") from error


def _context(job_id: JobId, name: str) -> str:
    return f"{job_id}/{name}"
