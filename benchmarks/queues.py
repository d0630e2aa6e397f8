"""(e) Tasks claimed a second by eight processes, on each queue that processes can share."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import tables
from benchmarks.amazon import amazon
from benchmarks.claiming import claims_a_second, fill
from benchmarks.figures import Spread
from benchmarks.postgres import postgres

CLAIMERS = 8
COLUMNS = ("queue and store", "tasks", "claims a second", "least-most", "server CPU ms")

#: Stores beside SQS; ``{0}`` is the number of the run.
_BESIDE_SQS: Mapping[str, Mapping[str, str]] = {
    "SQS, SQLite": {},
    "SQS, DynamoDB": {"store": "dynamodb://claims{0}"},
    "SQS, SimpleDB": {"store": "simpledb://claims{0}"},
}


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the table."""
    tasks, tasks_on_moto = (200, 40) if quick else (2000, 200)
    rows = [_row("SQLite", folder / "sqlite", tasks, [{}] * runs)]
    with postgres() as databases:
        if databases is None:
            tables.note("there is no PostgreSQL on this machine: (e) leaves it out")
        else:
            stores = [{"store": url} for url in databases(runs)]
            rows.append(_row("PostgreSQL", folder / "postgres", tasks, stores))
    with amazon() as services:
        for number, (name, store) in enumerate(_BESIDE_SQS.items()):
            usual = {"queue": f"sqs://claims{number}-{{0}}", **store}
            settings = [
                {key: value.format(run) for key, value in usual.items()}
                for run in range(runs)
            ]
            place = folder / f"sqs{number}"
            rows.append(_row(name, place, tasks_on_moto, settings, services.busy))
    tables.show(f"(e) tasks claimed by {CLAIMERS} processes, {runs} runs", COLUMNS, rows)
    tables.note("a claim is a take from the queue, two reads and a swap in the store")
    tables.note("the queue in memory is not shared by processes, and so not here")
    tables.note(
        "SQS, DynamoDB and SimpleDB: this is the speed of moto and of our SimpleDB, a "
        "Python process each, not Amazon's; the last column is what a claim costs them"
    )


def _row(
    name: str,
    folder: Path,
    tasks: int,
    settings: Sequence[Mapping[str, str]],
    busy: Callable[[], float] | None = None,
) -> list[str]:
    rates: list[float] = []
    served: list[float] = []
    for number, said in enumerate(settings):
        place = {"data_dir": str(folder / f"run{number}"), **said}
        fill(place, tasks + CLAIMERS)
        before = busy() if busy else 0.0
        rates.append(claims_a_second(place, tasks, CLAIMERS))
        if busy:
            served.append(1000 * (busy() - before) / (tasks + CLAIMERS))
    cost = f"{Spread.of(served).median:.1f}" if served else ""
    return [name, str(tasks), *tables.spread_cells(rates, 0), cost]
