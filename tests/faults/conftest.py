"""The machines of a session, where runs under faults are made."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.faults.machines import Machines, machines, with_postgres


@pytest.fixture(scope="session")
def on_amazon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Amazon's services, behind a proxy."""
    with machines(tmp_path_factory.mktemp("clips")) as made:
        yield made


@pytest.fixture(scope="session")
def on_postgres(on_amazon: Machines, postgres: Path) -> Iterator[Machines]:
    """PostgreSQL behind lines that are cut, and S3 behind a proxy."""
    with with_postgres(on_amazon, postgres) as made:
        yield made


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A run keeps its logs to itself; tests after it get theirs back."""
    yield
    structlog.reset_defaults()
