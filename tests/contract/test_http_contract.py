from collections.abc import Callable, Iterator

import pytest
from tests.http_server import Exchange, Site, serving
from typing_extensions import override

from media_nommer.adapters.http import HttpStorage
from media_nommer.adapters.objects import FileStorage, RoutedStorage
from media_nommer.core.ports.storage import Storage
from media_nommer.testing.storage_contract import ReadingContract
from media_nommer.testing.storage_ground import Plant


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


class TestHttpStorage(ReadingContract):
    @override
    @pytest.fixture
    def storage(self) -> Storage:
        return HttpStorage(private_networks=True)

    @override
    @pytest.fixture
    def url(self, site: Site) -> Callable[[str], str]:
        return site.url

    @override
    @pytest.fixture
    def plant(self, site: Site) -> Plant:
        return site.plant


class TestHttpStorageBehindARoute(TestHttpStorage):
    @override
    @pytest.fixture
    def storage(self) -> Storage:
        web = HttpStorage(private_networks=True)
        return RoutedStorage({"file": FileStorage, "http": lambda: web})


class TestHttpStorageOnAPlainServer(TestHttpStorage):
    """One that knows no HEAD and no ranges."""

    @override
    @pytest.fixture
    def plant(self, site: Site) -> Plant:
        def plant(name: str, data: bytes) -> str:
            def answer(exchange: Exchange) -> None:
                if exchange.is_head:
                    exchange.say(501)
                else:
                    exchange.serve(data, ranges=False)

            url = site.plant(name, data)
            site.answer(url.removeprefix(site.base), answer)
            return url

        return plant
