from collections.abc import Callable
from urllib.parse import quote

import pytest
from obstore.store import MemoryStore

from media_nommer.adapters.objects.cloud import CloudStorage
from media_nommer.core.ports.storage import Storage
from media_nommer.testing.storage_contract import StorageContract

#: Characters that stand for themselves in URLs of objects.
PLAIN = "/-._~!$&'()*+,;=:@"


class TestCloudStorage(StorageContract):
    """On obstore's store in memory, whose conditions are those of the services."""

    @pytest.fixture
    def storage(self) -> Storage:
        return CloudStorage(lambda _root: MemoryStore())

    @pytest.fixture
    def url(self) -> Callable[[str], str]:
        return lambda name: f"gs://bucket/{quote(name, safe=PLAIN)}"
