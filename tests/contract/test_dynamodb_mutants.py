"""The mistakes that an adapter for DynamoDB invites are found by the store's suite."""

import pytest
from mutants import is_found
from tests.dynamodb_tables import connected, new_table
from typing_extensions import override

from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.adapters.aws.dynamodb import store as dynamodb
from media_nommer.adapters.aws.dynamodb.table import DynamoTable, Key, Look
from media_nommer.adapters.aws.items.records import Index, Item, Refused
from media_nommer.testing.store_contract import JobsContract
from media_nommer.testing.store_nodes_contract import NodesContract
from media_nommer.testing.store_tasks_contract import TasksContract


class TableWithoutCondition(DynamoTable):
    @override
    def _unless_refused(self, operation: str, **request: object) -> Refused | Item:
        if "#rev" in str(request["ConditionExpression"]):
            request["ConditionExpression"] = "#rev > :read_at OR #rev <= :read_at"
        return super()._unless_refused(operation, **request)


class TableThatAddsOver(DynamoTable):
    @override
    def add(self, key: Key, values: Item) -> Refused | None:
        self.write(puts=[{**key._asdict(), **values}])
        return None


class TableThatTakesEveryLoserForItself(DynamoTable):
    """Remedies lost answers too well."""

    @override
    def swap(self, key: Key, values: Index, *, read_at: int) -> Refused | Item:
        old = super().swap(key, values, read_at=read_at)
        return {} if isinstance(old, Refused) and old.standing else old


class TableWithoutLabels(DynamoTable):
    @override
    def write(self, puts: object = (), deletes: object = ()) -> None:
        return


class TableThatReadsOneShard(DynamoTable):
    @override
    def query(self, look: Look, *, page: int | None = None):  # type: ignore[no-untyped-def]
        return iter(()) if look.of[1].endswith("3") else super().query(look, page=page)


@pytest.mark.parametrize(
    ("broken", "suite"),
    [
        (TableWithoutCondition, TasksContract),
        (TableWithoutCondition, NodesContract),
        (TableThatAddsOver, NodesContract),
        (TableThatTakesEveryLoserForItself, NodesContract),
        (TableWithoutLabels, JobsContract),
        (TableThatReadsOneShard, TasksContract),
    ],
)
def test_a_broken_table_is_found(
    aws: str, monkeypatch: pytest.MonkeyPatch, broken: type[DynamoTable], suite: type
) -> None:
    monkeypatch.setattr(dynamodb, "DynamoTable", broken)
    clients, _ = connected(aws)

    assert is_found(suite, lambda: {"store": DynamoStore(clients, new_table(clients))})
