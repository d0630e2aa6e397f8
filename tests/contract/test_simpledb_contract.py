from collections.abc import Iterator

import pytest
from tests.simpledb_domains import DOMAIN, clients_of, settings

from media_nommer.adapters.aws.simpledb import SimpleDbStore
from media_nommer.core.ports.store import JobStore
from media_nommer.testing.simpledb import UNTIL_SETTLED, SimpleDbServer
from media_nommer.testing.store_contract import StoreContract


class TestSimpleDbStore(StoreContract):
    """Writes stay hidden from whoever does not ask for the latest."""

    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleDbServer]:
        with SimpleDbServer() as server:
            for name, value in settings(server).items():
                monkeypatch.setenv(name, value)
            yield server

    @pytest.fixture
    def store(self, server: SimpleDbServer) -> JobStore:
        clients = clients_of()
        server.lag = UNTIL_SETTLED
        return SimpleDbStore(clients, DOMAIN)
