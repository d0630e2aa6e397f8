"""A server, and a client with one empty domain on it."""

from collections.abc import Iterator

import pytest
from simpledb_client import DOMAIN, client_of
from types_boto3_sdb import SimpleDBClient

from media_nommer.testing.clock import ManualClock
from media_nommer.testing.simpledb import SimpleDbServer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[SimpleDbServer]:
    with SimpleDbServer(clock=clock) as server:
        yield server


@pytest.fixture
def client(server: SimpleDbServer) -> Iterator[SimpleDBClient]:
    client = client_of(server.url)
    client.create_domain(DomainName=DOMAIN)
    yield client
    client.close()
