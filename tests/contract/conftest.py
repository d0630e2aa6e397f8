"""What the contract tests share: readable failures, and a PostgreSQL of our own."""

import pytest

_STORES = ("store", "store_tasks", "store_nodes")
_STORAGES = tuple(
    f"storage{part}" for part in ("", "_putting", "_begun", "_copying", "_listing")
)
for _suite in (*_STORES, *_STORAGES, "queue", "fleet"):
    pytest.register_assert_rewrite(f"media_nommer.testing.{_suite}_contract")
