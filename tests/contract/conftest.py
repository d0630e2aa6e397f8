"""What the contract tests share: readable failures, and a PostgreSQL of our own."""

import pytest

for _suite in ("store", "store_tasks", "store_nodes", "queue", "storage", "fleet"):
    pytest.register_assert_rewrite(f"media_nommer.testing.{_suite}_contract")
