"""Sealing keys that one process has, and nobody else."""

import threading

from typing_extensions import override

from media_nommer.core.errors import SecretUnreadable
from media_nommer.core.ports.sealing_keys import SealingKey, SealingKeys


class MemoryKeys(SealingKeys):
    """Keys in the order of their use; each is known by its place, from 1."""

    def __init__(self, secret: bytes, *later: bytes) -> None:
        self._lock = threading.Lock()
        self._keys: list[SealingKey] = []
        for each in (secret, *later):
            self.rotate(each)

    def rotate(self, secret: bytes) -> None:
        """Seal with another key from now on."""
        with self._lock:
            self._keys.append(SealingKey(str(len(self._keys) + 1), secret))

    @override
    def newest(self) -> SealingKey:
        return self._keys[-1]

    @override
    def first(self) -> SealingKey:
        return self._keys[0]

    @override
    def named(self, key_id: str) -> SealingKey:
        for key in self._keys:
            if key.id == key_id:
                return key
        raise SecretUnreadable(f"there is no sealing key {key_id!r} here")
