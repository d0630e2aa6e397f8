"""Bringing what a job is made from into scratch, and looking into it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from media_nommer.core.media import Media
from media_nommer.core.ports.cipher import SegmentCipher
from media_nommer.core.ports.encoder import Encoder
from media_nommer.core.ports.probe import Probe
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.recipes.places import is_text, name_of, sources_of
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.planning.inputs.joining import Film, film_of
from media_nommer.planning.inputs.reading import files_of
from media_nommer.planning.tasks import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What nommers work with. ``threads`` are those of one encode.

    ``check_room`` raises NoSpace unless so many bytes of scratch space are free. ``cipher``
    encrypts segments and ``packager`` frames, where the part is installed.
    """

    probe: Probe
    encoder: Encoder
    check_room: Callable[[int], None]
    threads: int
    cutting: Policy
    cipher: SegmentCipher | None = None
    packager: Encoder | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The film that a job is made from, within reach, and what was found of each input."""

    film: Film
    found: tuple[Media, ...]


def fetch_sources(kit: Kit, work: Work) -> Fetched:
    """Bring the job's sources into scratch and look into each.

    Raises:
        StorageError: one cannot be read.
        MediaError: one is not something that can be encoded.
        InvalidRecipe: they cannot be joined.
    """
    recipe = parse_recipe(work.job.recipe, stored=True)
    places = sources_of(work.job.recipe)
    files = files_of(places)
    _check_room(kit, work, files)
    media: dict[str, Media] = {}
    for url, file in files.items():
        path = work.scratch / file
        work.engine.storage.fetch(url, path, stop=work.stop)
        if is_text(places[url]):
            continue  # what is in it shows when it is read
        media[url] = kit.probe.examine(path, called=name_of(url))
    found = tuple(media[source.url] for source in recipe.inputs)
    return Fetched(film_of(media, recipe, files), found)


def _check_room(kit: Kit, work: Work, files: Mapping[str, str]) -> None:
    """Refuse at once what would not fit: files of this machine are only linked to."""
    sizes = [work.engine.storage.stat(url) for url in files if not url.startswith("file:")]
    kit.check_room(sum(found.size or 0 for found in sizes if found is not None))
