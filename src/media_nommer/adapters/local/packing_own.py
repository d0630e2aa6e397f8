"""Packages with own nommers as they are installed here, packed for another machine.

Like ourselves, they need no index and no build tools.
"""

from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from media_nommer.adapters.local.packing import write_wheel
from media_nommer.core.errors import SetupFailed
from media_nommer.core.recipes.own_nommers import GROUP

#: What an installer writes about its own work.
_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"})


def own_packages(path: list[str] | None = None) -> tuple[Distribution, ...]:
    """Return the packages that register own nommers, on ``path`` or else on ours."""
    everything = distributions() if path is None else distributions(path=path)
    found = {
        canonicalize_name(each.name): each
        for each in everything
        if any(entry.group == GROUP for entry in each.entry_points)
    }
    return tuple(found[name] for name in sorted(found))


def pack_installed(package: Distribution, folder: Path) -> Path:
    """Make the wheel of an installed package in ``folder``; return its path.

    Raises:
        SetupFailed: it is not there as a whole, or only runs on machines like this one.
    """
    name = f"{package.name} {package.version}"
    papers = package.read_text("WHEEL") or ""
    if "Root-Is-Purelib: true" not in papers:
        raise SetupFailed(
            f"{name}, which has own nommers, holds what runs on machines like this alone",
            advice="Make it a package of Python alone, or uninstall it here.",
        )
    files = dict(_files(package))
    if not any(path.endswith(".py") for path in files):
        raise SetupFailed(
            f"{name}, which has own nommers, is installed as a link to its source",
            advice="Install it without `-e`: nodes get it as it is installed here.",
        )
    stem = f"{canonicalize_name(package.name).replace('-', '_')}-{package.version}"
    return write_wheel(folder / f"{stem}-py3-none-any.whl", files, f"{stem}.dist-info")


def _files(package: Distribution) -> Iterator[tuple[str, bytes]]:
    """Yield what a wheel has of a package: neither scripts nor what was compiled."""
    for file in sorted(package.files or ()):
        path = file.locate()
        ours = file.parts[0] != ".." and "__pycache__" not in file.parts
        if ours and file.suffix != ".pth" and file.name not in _INSTALLERS:
            yield file.as_posix(), Path(str(path)).read_bytes()
