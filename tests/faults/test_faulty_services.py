"""Ten jobs at a time on each engine, while all goes wrong between workers and services.

All are finished, nothing is published twice, and no message is left behind. CI does a few
small runs; a soak (``NOMMER_SOAK``, see CONTRIBUTING.md) of 100,000 schedules does all.
"""

import os
from math import ceil
from pathlib import Path

import pytest

from tests.faults.machines import Machines
from tests.faults.running import run

#: How many runs of ten jobs a full soak is, and how many there are without one.
FULL = {"dynamodb": 200, "simpledb": 50, "postgresql": 50}
SAMPLE = {"dynamodb": 1, "simpledb": 1, "postgresql": 1}
_FULL_SOAK = 100_000
#: How many jobs a run does: all ten in a soak.
COUNT = None if os.environ.get("NOMMER_SOAK") else 3


def seeds(engine: str) -> range:
    """Return the seeds of the runs on an engine."""
    soak = os.environ.get("NOMMER_SOAK")
    if soak is None:
        return range(1, 1 + SAMPLE[engine])
    return range(1, 1 + ceil(FULL[engine] * int(soak) / _FULL_SOAK))


def _of(engine: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("seed", seeds(engine))


@_of("dynamodb")
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_on_dynamodb_and_sqs(
    on_amazon: Machines, tmp_path: Path, seed: int
) -> None:
    report = run(on_amazon, "dynamodb", seed, tmp_path, count=COUNT)

    assert not report.wrong, str(report)


@_of("simpledb")
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_on_simpledb_and_sqs(
    on_amazon: Machines, tmp_path: Path, seed: int
) -> None:
    report = run(on_amazon, "simpledb", seed, tmp_path, count=COUNT)

    assert not report.wrong, str(report)


@_of("postgresql")
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_on_postgresql(
    on_postgres: Machines, tmp_path: Path, seed: int
) -> None:
    report = run(on_postgres, "postgresql", seed, tmp_path, count=COUNT)

    assert not report.wrong, str(report)
