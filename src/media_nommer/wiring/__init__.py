"""The one place that knows which adapter serves which URL, and puts the parts together.

Adapters are imported where they are used: a worker on SQLite loads nothing else.
"""

from media_nommer.wiring.ciphers import open_sealing_keys, parameter_of, passing_sealer
from media_nommer.wiring.engines import (
    FILES_AT_ONCE,
    open_engine,
    open_outside,
    open_work_area,
    work_policy,
)
from media_nommer.wiring.fleets import FleetParts, open_fleet
from media_nommer.wiring.installing import FeederdOnEc2, aws_installation
from media_nommer.wiring.storages import open_storage
from media_nommer.wiring.workers import (
    WorkerParts,
    check_encoder,
    encoder_limits,
    open_scratch,
    open_surroundings,
    scratch_folder,
    worker_kit,
    worker_parts,
)

__all__ = [
    "FILES_AT_ONCE",
    "FeederdOnEc2",
    "FleetParts",
    "WorkerParts",
    "aws_installation",
    "check_encoder",
    "encoder_limits",
    "open_engine",
    "open_fleet",
    "open_outside",
    "open_scratch",
    "open_sealing_keys",
    "open_storage",
    "open_surroundings",
    "open_work_area",
    "parameter_of",
    "passing_sealer",
    "scratch_folder",
    "work_policy",
    "worker_kit",
    "worker_parts",
]
