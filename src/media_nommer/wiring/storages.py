"""Storages: which adapter serves the URLs of sources, destinations and the work area."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from media_nommer.conf.settings import Settings
from media_nommer.core.errors import InvalidSetting
from media_nommer.core.ports.storage import Storage
from media_nommer.wiring import amazon
from media_nommer.wiring.urls import check_scheme, scheme_of

_STORAGES = ("file", "s3", "gs", "az", "memory")


def open_storage(
    settings: Settings,
    *,
    roots: Sequence[Path] | None,
    own: Sequence[Path] = (),
    scratch: Path | None = None,
) -> Storage:
    """Return the storages that can be used, each opened when it is first needed.

    Files are touched below ``roots`` only (None for everywhere), and moved rather than
    copied out of ``own``. What goes from one storage to another passes ``scratch``.
    """
    from media_nommer.adapters.objects import FileStorage, RoutedStorage

    web = cache(lambda: _web_storage(settings))
    cloud = cache(lambda: _cloud_storage(scratch))
    storages: dict[str, Callable[[], Storage]] = {
        "file": lambda: FileStorage(roots, own=own),
        "http": web,
        "https": web,
        "s3": lambda: _s3_storage(settings, scratch),
        "gs": cloud,
        "az": cloud,
    }
    if scheme_of(settings.work) == "memory":
        from media_nommer.adapters.memory import MemoryStorage

        storages["memory"] = MemoryStorage
    return RoutedStorage(storages, scratch=scratch)


def open_places(
    settings: Settings, *, work_too: bool, scratch: Path | None = None
) -> Storage:
    """Return the storages as far as the settings let them be used.

    The work area is, where it is to be used too, and anything below `file_roots`.

    Raises:
        InvalidSetting: no adapter serves the work area.
    """
    from media_nommer.adapters.objects import path_of

    check_scheme(settings, "work", _STORAGES)
    at_home = scheme_of(settings.work) == "file" and work_too
    own = (path_of(settings.work),) if at_home else ()
    everything = Path("/") in settings.allowed_roots
    roots = None if everything else (*settings.allowed_roots, *own)
    return open_storage(settings, roots=roots, own=own, scratch=scratch)


def _web_storage(settings: Settings) -> Storage:
    from media_nommer.adapters.http import HttpStorage

    return HttpStorage(
        private_networks=settings.reads_private_networks,
        max_bytes=settings.max_source_size,
    )


def _s3_storage(settings: Settings, scratch: Path | None) -> Storage:
    clients = amazon.aws_clients(settings.aws_region)
    from media_nommer.adapters.aws.s3 import S3Storage

    return S3Storage(
        clients,
        endpoint=settings.s3_endpoint,
        roles=dict(settings.s3_roles),
        scratch=scratch,
    )


def _cloud_storage(scratch: Path | None) -> Storage:
    try:
        from media_nommer.adapters.objects.cloud import CloudStorage
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "gs:// and az:// need a part that is not installed",
            advice="pip install 'media-nommer[cloud]'",
        ) from error
    return CloudStorage(scratch=scratch)
