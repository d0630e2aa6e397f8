"""Runs under faults by hand: ``python -m tests.faults ENGINE SEED [LAST_SEED]``."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests import postgres_server
from tests.faults.machines import machines, with_postgres
from tests.faults.running import ENGINES, run


def main() -> int:
    """Run; return whether anything was wrong."""
    parser = argparse.ArgumentParser("tests.faults", description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("seed", type=int)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--calm", action="store_true", help="without any fault")
    said = parser.parse_args()
    bad = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        here = stack.enter_context(machines(folder))
        if said.engine == "postgresql":
            server = stack.enter_context(postgres_server.server())
            here = stack.enter_context(with_postgres(here, server))
        for seed in range(said.seed, (said.last or said.seed) + 1):
            place = folder / f"{said.engine}-{seed}"
            report = run(here, said.engine, seed, place, faults=not said.calm)
            print(report, flush=True)  # noqa: T201
            if report.wrong:
                bad.append(seed)
    print(f"wrong: {bad or 'none'}")  # noqa: T201
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
