"""Run SimpleDB as a process: ``python -m media_nommer.testing.simpledb --port 0``."""

import argparse
import signal
import sys
from datetime import timedelta

from media_nommer.testing.simpledb.server import SimpleDbServer


def main() -> None:
    """Serve until told to stop; the first line on standard output is the URL."""
    options = argparse.ArgumentParser(prog="python -m media_nommer.testing.simpledb")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes one that is free")
    options.add_argument(
        "--lag", type=float, default=0.0, help="seconds that writes stay hidden from reads"
    )
    given = options.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with SimpleDbServer(host=given.host, port=given.port) as server:
        server.lag = timedelta(seconds=given.lag)
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
