import pytest
from tests.dynamodb_tables import connected, new_table

from media_nommer.adapters.aws.dynamodb import DynamoStore
from media_nommer.core.ports.store import JobStore
from media_nommer.testing.store_contract import StoreContract


class TestDynamoStore(StoreContract):
    @pytest.fixture
    def store(self, aws: str) -> JobStore:
        clients, _ = connected(aws)
        return DynamoStore(clients, new_table(clients))
