"""Nommers of other people's packages: what they promise, and how they are found.

A package registers a class for a kind of output under the entry point group
``media_nommer.nommers``; the entry point's name is the kind. It is loaded when the first
recipe asks for it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from media_nommer.core.errors import NommerBroken
from media_nommer.core.media import Media
from media_nommer.core.recipes.own import OwnOutput

GROUP = "media_nommer.nommers"
_KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")

Document = TypeVar("Document", bound=OwnOutput)


class Making(ABC):
    """One output in the making, as its nommer sees it.

    ``folder`` is the attempt's own and goes with it. FFmpeg runs in it, so names are
    relative to it. ``names`` are what the output's files are to be called there, in the
    order in which they were planned; anything else there is for passing use. ``media`` is
    what of the source the recipe takes: a part has the length of the part.
    """

    folder: Path
    names: tuple[str, ...]
    media: Media

    @property
    @abstractmethod
    def source(self) -> tuple[str, ...]:
        """FFmpeg's options that read the source, or the part that is taken: an input."""

    @abstractmethod
    def spare(self, ending: str) -> str:
        """Return a name for a file of passing use, which ends in ``ending``."""

    @abstractmethod
    def ffmpeg(self, *args: str) -> tuple[str, ...]:
        """Run FFmpeg with ``args``, all that follows its name; return its last lines.

        It runs as all our encoders do: without a network, seeing no file but those of the
        folder, within the limits that are set. Its log is kept with the attempt's. How far
        it is counts as how far the output is, by the length of ``media``.

        Raises:
            EncodeError: it refused, crashed, stalled or crossed a limit.
            WorkStopped: the job is canceled, or the worker leaves; let it pass.
        """

    @abstractmethod
    def inspect(self, name: str) -> Media:
        """Return what is in a file of the folder.

        Raises:
            OutputDamaged: it cannot be read.
        """

    @abstractmethod
    def report(self, fraction: float) -> None:
        """Tell how far the output is, 0 to 1.

        Raises:
            WorkStopped: the job is canceled, or the worker leaves; let it pass.
        """


class OutputNommer(ABC, Generic[Document]):
    """Makes outputs of one kind. An instance may work on several at once, in threads.

    ``document`` is what such an output may say, ``name`` the template of its name where it
    says none: with ``{stem}``, ``{preset}`` and ``{ext}``; its extension is that of all
    names.
    """

    document: ClassVar[type[OwnOutput]]
    name: ClassVar[str]

    def plan(self, output: Document, media: Media, name: str) -> Sequence[str]:
        """Return the names of all files of an output, the first of which is ``name``.

        It may be asked often, also for nothing, and decides by its arguments alone.

        Raises:
            InvalidRecipe: the output cannot be made of this source.
            NoStreams: the source lacks what it needs.
        """
        return (name,)

    @abstractmethod
    def make(self, output: Document, making: Making) -> Mapping[str, object]:
        """Make the files of an output, and return facts of it for people, fit for JSON.

        ``format``, ``video``, ``width``, ``height``, ``frames``, ``audio``, ``channels``
        and ``duration`` mean what they do in all outputs. It may be called again after a
        death at any point, and touches nothing outside its folder.

        Raises:
            EncodeError: it could not be made; ``retryable`` says whether to try again.
        """


@cache
def own_kinds() -> Mapping[str, EntryPoint]:
    """Return the own kinds that are installed here, by name; none of them is loaded."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return {entry.name: entry for entry in found if _KIND.fullmatch(entry.name)}


@cache
def own_nommer(kind: str) -> OutputNommer[OwnOutput] | None:
    """Return the nommer of an own kind, None where nothing here is registered for it.

    Raises:
        NommerBroken: it cannot be loaded, or is none.
    """
    entry = own_kinds().get(kind)
    if entry is None:
        return None
    try:
        nommer = entry.load()()
    except Exception as error:
        raise NommerBroken(
            f"the nommer of the kind {kind!r} ({entry.value}) cannot be loaded: {error!r}"
        ) from error
    if not _is_one(nommer):
        raise NommerBroken(
            f"the nommer of the kind {kind!r} ({entry.value}) is no OutputNommer with a "
            "document and a name"
        )
    made: OutputNommer[OwnOutput] = nommer
    return made


def _is_one(nommer: object) -> bool:
    document, name = getattr(nommer, "document", None), getattr(nommer, "name", None)
    return (
        isinstance(nommer, OutputNommer)
        and isinstance(document, type)
        and issubclass(document, OwnOutput)
        and isinstance(name, str)
        and "." in name
    )
