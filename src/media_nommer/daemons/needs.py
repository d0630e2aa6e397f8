"""What a worker cannot do without, checked before it takes its first task."""

import shutil
import tempfile
from pathlib import Path

from media_nommer import wiring
from media_nommer.conf.settings import Settings
from media_nommer.core.disk import disk_errors
from media_nommer.core.errors import NoSpace, StorageError
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.engine import Engine

#: Bytes of scratch space without which not even a short film can be made.
_LEAST_ROOM = 200_000_000

_SAMPLE = b"Can this be written and read again?"


def check_needs(settings: Settings, engine: Engine, node: NodeId) -> None:
    """Check that FFmpeg runs, that scratch has room, and that queue and work area serve us.

    That the store does was found out when it was opened, and will be when the node joins.

    Raises:
        EncoderMissing, NoSpace, AccessDenied: what cannot pass by itself.
        ServiceUnavailable, StorageError: what may.
    """
    wiring.check_encoder(settings)
    _check_scratch(settings.scratch_dir)
    engine.queue.depth()
    _check_work_area(engine, node)


def _check_scratch(folder: Path) -> None:
    with disk_errors(f"the scratch folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_SAMPLE)
        free = shutil.disk_usage(folder).free
    if free < _LEAST_ROOM:
        raise NoSpace(f"only {free / 1e6:,.0f} MB are free in {folder}")


def _check_work_area(engine: Engine, node: NodeId) -> None:
    """Write, read and remove a few bytes; what a try before this left is no matter."""
    url = engine.node_check_url(node)
    engine.storage.delete(url)
    with tempfile.NamedTemporaryFile() as sample:
        sample.write(_SAMPLE)
        sample.flush()
        engine.storage.put(Path(sample.name), url)
    if engine.storage.read(url) != _SAMPLE:
        raise StorageError(f"the work area {engine.work_url} gives back other bytes")
    engine.storage.delete(url)
