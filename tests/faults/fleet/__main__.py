"""Runs by hand: ``python -m tests.faults.fleet ENGINE SEED [LAST_SEED]``."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.faults.fleet.running import ENGINES, run, site
from tests.faults.machines import machines


def main() -> int:
    """Run; return whether anything was wrong."""
    parser = argparse.ArgumentParser("tests.faults.fleet", description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("seed", type=int)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--calm", action="store_true", help="without any fault")
    said = parser.parse_args()
    bad = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        here = stack.enter_context(site(stack.enter_context(machines(folder))))
        for seed in range(said.seed, (said.last or said.seed) + 1):
            report = run(here, said.engine, seed, folder / f"{seed}", calm=said.calm)
            print(report, f"({dict(report.harmed)})", flush=True)  # noqa: T201
            if report.wrong:
                bad.append(seed)
    print(f"wrong: {bad or 'none'}")  # noqa: T201
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
