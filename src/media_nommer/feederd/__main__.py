"""``python -m media_nommer.feederd``: feederd, set by file and environment alone."""

import sys

from media_nommer.conf import load_settings
from media_nommer.core.errors import NommerError
from media_nommer.feederd.daemon import run_feederd


def main() -> int:
    """Run feederd; return its exit status."""
    try:
        return run_feederd(load_settings())
    except NommerError as error:
        sys.stderr.write(f"feederd: {error.message}\n{error.advice}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
