"""Amazon SimpleDB to test against, for ours and for other people's adapters.

Unlike the well-known doubles it keeps to Amazon's Developer Guide where that hurts:
conditional writes, the whole of Select with its pages, limits with their codes, reads that
lag behind, and faults to order.
"""

from media_nommer.testing.simpledb.counts import Counts, SelectWork
from media_nommer.testing.simpledb.errors import SimpleDbError
from media_nommer.testing.simpledb.faults import (
    DROPPED,
    DROPPED_AFTER,
    INTERNAL_ERROR,
    INTERNAL_ERROR_AFTER,
    THROTTLED,
    Fault,
    delayed,
)
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.server import UNTIL_SETTLED, SimpleDbServer

__all__ = [
    "DROPPED",
    "DROPPED_AFTER",
    "INTERNAL_ERROR",
    "INTERNAL_ERROR_AFTER",
    "THROTTLED",
    "UNTIL_SETTLED",
    "Counts",
    "Fault",
    "Limits",
    "SelectWork",
    "SimpleDbError",
    "SimpleDbServer",
    "delayed",
]
