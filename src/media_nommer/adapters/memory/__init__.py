"""Every port in the memory of one process: for tests, the simulator, and small servers."""

from media_nommer.adapters.memory.fleet import MemoryFleet
from media_nommer.adapters.memory.queue import MemoryQueue
from media_nommer.adapters.memory.sealing_keys import MemoryKeys
from media_nommer.adapters.memory.storage import MemoryStorage
from media_nommer.adapters.memory.store import MemoryStore
from media_nommer.adapters.memory.surroundings import MemorySurroundings

__all__ = [
    "MemoryFleet",
    "MemoryKeys",
    "MemoryQueue",
    "MemoryStorage",
    "MemoryStore",
    "MemorySurroundings",
]
