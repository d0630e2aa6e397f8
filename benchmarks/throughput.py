"""(c) Jobs submitted a second over HTTP."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import tables
from benchmarks.postgres import postgres
from benchmarks.serving import Client, Served, job_document, served

CLIENTS = 8


def measure(folder: Path, runs: int, *, quick: bool) -> None:
    """Print the table."""
    jobs = 200 if quick else 2000
    source = folder / "clip.mp4"
    source.write_bytes(b"feederd looks whether it is there, no more")
    rows = [_commits_row(folder, runs)]
    rows.append(_row("SQLite", folder, source, jobs, [None] * runs))
    with postgres() as databases:
        if databases is None:
            tables.note("there is no PostgreSQL on this machine: (c) leaves it out")
        else:
            rows.append(_row("PostgreSQL", folder, source, jobs, list(databases(runs))))
    tables.show(
        f"(c) {jobs} jobs by {CLIENTS} keep-alive clients, {runs} runs",
        ("", "a second", "least-most"),
        rows,
    )
    tables.note("a submission is four commits: labels, job, task and message")


def _row(
    name: str, folder: Path, source: Path, jobs: int, stores: Sequence[str | None]
) -> list[str]:
    submitted: list[float] = []
    for number, store in enumerate(stores):
        place = folder / f"{name}{number}"
        settings = {} if store is None else {"store": store}
        with served(place, max_nodes=0, settings=settings) as server:
            out = place / "out"
            _submissions_a_second(server, source, out, CLIENTS)  # what happens only once
            submitted.append(_submissions_a_second(server, source, out, jobs))
    return [f"submissions, {name}", *tables.spread_cells(submitted, 0)]


def _submissions_a_second(server: Served, source: Path, out: Path, jobs: int) -> float:
    """Submit from several threads, each on a connection of its own; all must succeed."""
    document = job_document(source, out)
    shares = [len(range(first, jobs, CLIENTS)) for first in range(CLIENTS)]
    failures: list[Exception] = []

    def submit(share: int) -> None:
        client = Client(server.port)
        try:
            for _ in range(share):
                client.ask("POST", "/v1/jobs", document)
        except Exception as error:  # told by the thread that waits
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=submit, args=(share,)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    if failures:
        raise failures[0]
    return jobs / took


def _commits_row(folder: Path, runs: int) -> list[str]:
    """Measure what the disk gives: commits of one row by one connection of bare SQLite."""
    rates = []
    for number in range(runs):
        db = sqlite3.connect(folder / f"bare{number}.db", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)")
        begun = time.perf_counter()
        for key in range(500):
            db.execute("INSERT INTO t VALUES (?, ?)", (key, "x" * 1000))
        rates.append(500 / (time.perf_counter() - begun))
        db.close()
    return ["for comparison: bare SQLite commits", *tables.spread_cells(rates, 0)]
