"""The stores on Amazon's databases and the memory's answer alike, whatever is asked."""

import pytest
from hypothesis import HealthCheck, given, settings
from tests import simpledb_domains
from tests.dynamodb_tables import connected, new_table
from tests.simpledb_domains import DOMAIN, clients_of
from tests.store_model import Named, agree, steps

from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.adapters.aws.simpledb import SimpleDbStore
from media_nommer.testing.simpledb import UNTIL_SETTLED, SimpleDbServer

_SOME = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_SOME
@given(steps)
def test_dynamodb_answers_like_the_memory(aws: str, steps: list[Named]) -> None:
    clients, wire = connected(aws)

    agree(DynamoStore(clients, new_table(clients)), steps)
    wire.clear()


def test_simpledb_answers_like_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    with SimpleDbServer() as server:
        for name, value in simpledb_domains.settings(server).items():
            monkeypatch.setenv(name, value)
        clients = clients_of()
        client = clients.client("sdb")
        server.lag = UNTIL_SETTLED

        @_SOME
        @given(steps)
        def agrees(steps: list[Named]) -> None:
            client.delete_domain(DomainName=DOMAIN)
            client.create_domain(DomainName=DOMAIN)
            agree(SimpleDbStore(clients, DOMAIN), steps)

        agrees()
