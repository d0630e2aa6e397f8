"""The mistakes that an adapter for SimpleDB invites are found by the store's suite."""

from collections.abc import Iterator, Mapping

import pytest
from mutants import is_found
from tests.simpledb_domains import DOMAIN, clients_of, settings
from typing_extensions import override

from media_nommer.adapters.aws.items.records import Index, Item, Refused
from media_nommer.adapters.aws.simpledb import SimpleDbStore
from media_nommer.adapters.aws.simpledb import domain as simpledb_domain
from media_nommer.adapters.aws.simpledb import store as simpledb
from media_nommer.adapters.aws.simpledb.domain import Domain
from media_nommer.testing.simpledb import UNTIL_SETTLED, SimpleDbServer
from media_nommer.testing.store_contract import JobsContract
from media_nommer.testing.store_nodes_contract import NodesContract
from media_nommer.testing.store_tasks_contract import TasksContract


class DomainWithoutCondition(Domain):
    """Reads, compares, and then writes whatever stands there by then."""

    @override
    def swap(self, key: str, values: Index, *, read_at: int) -> Refused | Item:
        standing = self.get(key)
        if standing is None or int(standing["rev"]) != read_at:
            return Refused(standing)
        kept = {name: value for name, value in values.items() if value is not None}
        self._put(key, kept, {"Name": "pieces", "Value": "1", "Exists": True})
        return {}


class DomainThatAddsOver(Domain):
    @override
    def add(self, key: str, values: Item) -> Refused | None:
        standing = self.get(key)
        before = None if standing is None else int(str(standing["rev"]))
        if before is None:
            return super().add(key, values)
        self.swap(key, values, read_at=before)
        return None


class DomainThatReadsSomeReplica(Domain):
    """Forgets to ask for what is the latest."""

    @override
    def get(self, key: str) -> Item | None:
        answer = self._client.get_attributes(DomainName=DOMAIN, ItemName=key)
        found = answer.get("Attributes")
        return simpledb_domain._joined(found) if found else None


class DomainThatSelectsFromSomeReplica(Domain):
    @override
    def _select(self, expression: str) -> Iterator[Item]:
        answer = self._client.select(SelectExpression=expression)
        return (
            simpledb_domain._joined(each["Attributes"]) for each in answer.get("Items", ())
        )


class DomainThatSelectsOnePage(Domain):
    @override
    def equal(self, attribute: str, value: str) -> Iterator[Item]:
        found = super().equal(attribute, value)
        return (item for item, _ in zip(found, range(100), strict=False))


#: Remembered here: of several threads in the class below, none can mistake another's.
_split = simpledb_domain._split


class DomainWhosePiecesStay(Domain):
    """Adds values where it should put them in the place of the old ones."""

    @override
    def _put(self, key: str, values: Item, expected: Mapping[str, object]) -> bool:
        try:
            simpledb_domain._split = lambda key, values: [  # type: ignore[assignment]
                {**each, "Replace": each["Name"] == "rev"} for each in _split(key, values)
            ]
            return super()._put(key, values, expected)
        finally:
            simpledb_domain._split = _split


@pytest.mark.parametrize(
    ("broken", "suite"),
    [
        (DomainWithoutCondition, JobsContract),
        (DomainWithoutCondition, TasksContract),
        (DomainWithoutCondition, NodesContract),
        (DomainThatAddsOver, TasksContract),
        (DomainThatReadsSomeReplica, JobsContract),
        (DomainThatSelectsFromSomeReplica, TasksContract),
        (DomainThatSelectsOnePage, TasksContract),
        (DomainWhosePiecesStay, NodesContract),
    ],
)
def test_a_broken_domain_is_found(
    monkeypatch: pytest.MonkeyPatch, broken: type[Domain], suite: type
) -> None:
    monkeypatch.setattr(simpledb, "Domain", broken)
    with SimpleDbServer() as server:
        for name, value in settings(server).items():
            monkeypatch.setenv(name, value)
        clients = clients_of()
        server.lag = UNTIL_SETTLED

        def store() -> dict[str, object]:
            client = clients.client("sdb")
            client.delete_domain(DomainName=DOMAIN)
            client.create_domain(DomainName=DOMAIN)
            return {"store": SimpleDbStore(clients, DOMAIN)}

        assert is_found(suite, store)
