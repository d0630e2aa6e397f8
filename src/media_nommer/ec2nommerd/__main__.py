"""``python -m media_nommer.ec2nommerd``: a worker, set by file and environment alone."""

import argparse
import sys

from media_nommer.conf import load_settings
from media_nommer.core.errors import NommerError
from media_nommer.ec2nommerd.daemon import run_worker


def main() -> int:
    """Run ec2nommerd; return its exit status."""
    parser = argparse.ArgumentParser("ec2nommerd", description=__doc__)
    parser.add_argument("--node-id", help="the id of the launch intent of who starts it")
    parser.add_argument("--kept", action="store_true", help="never leave for idleness")
    said = parser.parse_args()
    try:
        return run_worker(load_settings(), said.node_id, kept=said.kept)
    except NommerError as error:
        sys.stderr.write(f"ec2nommerd: {error.message}\n{error.advice}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
