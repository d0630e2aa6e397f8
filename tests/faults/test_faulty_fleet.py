"""Ten jobs at a time on machines that EC2 takes back, cuts off, or never has.

All are finished, nothing is published twice, no message is left behind and no machine, and
what each was paid for is known. CI does a small run; a soak (``NOMMER_SOAK``, see
CONTRIBUTING.md) of 100,000 schedules does all.
"""

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import pytest

from tests.faults.fleet.running import Site, run, site
from tests.faults.machines import Machines

#: How many runs a full soak is: three in four on DynamoDB, the others on SimpleDB.
FULL, _FULL_SOAK = 200, 100_000
SOAK = os.environ.get("NOMMER_SOAK")
#: The seed of CI's run, whose first machine is reclaimed early; it does as many jobs.
SAMPLE, FEW = 6773, 1
SEEDS = range(1, 1 + ceil(FULL * int(SOAK) / _FULL_SOAK)) if SOAK else [SAMPLE]


@pytest.fixture(scope="session")
def fleet_site(on_amazon: Machines) -> Iterator[Site]:
    """EC2 whose machines are processes, beside Amazon's other services."""
    with site(on_amazon) as made:
        yield made


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled_whatever_becomes_of_machines(
    fleet_site: Site, tmp_path: Path, seed: int
) -> None:
    engine = "dynamodb" if seed % 4 else "simpledb"

    report = run(fleet_site, engine, seed, tmp_path, count=None if SOAK else FEW)

    print(report)  # noqa: T201 - it is shown where the test failed
    assert not report.wrong, str(report)
