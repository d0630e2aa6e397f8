"""Writes files as encoders do, and sends them to S3 as a worker does.

``python -m benchmarks.writing WAY SECONDS FOLDER URL MOVES SIZE...``: WAY is ``ahead`` or
``end``; the files grow to their sizes, in bytes, in so many seconds. Where MOVES says
``moves``, each gets an index put in front of it in the end, as MP4 does. It says
``written`` then, and in the end the seconds since, and the most bytes of memory it held.
"""

import hashlib
import os
import sys
import time
from functools import partial
from pathlib import Path

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.s3 import S3Storage
from media_nommer.conf.logs import set_up_logs
from media_nommer.core.workflow.together import each_of
from media_nommer.ec2nommerd.nommers.sending import Ahead, sending_ahead

_TICK = 0.25
_INDEX = 200_000
_AT_ONCE = 8


def main() -> None:
    """Do what the arguments say."""
    way, seconds, folder, url, moves, *sizes = sys.argv[1:]
    set_up_logs("warning")  # which go to standard error
    storage = S3Storage(AwsClients())
    files = {Path(folder, f"{n}.mp4"): int(size) for n, size in enumerate(sizes)}
    for path in files:
        path.unlink(missing_ok=True)  # of the run before
    puts = {path: storage.begin(path, f"{url}/{path.name}") for path in files}
    with sending_ahead(puts if way == "ahead" else {}) as ahead:
        _write(files, float(seconds))
        if moves == "moves":
            for path in files:
                _move(path)
        print("written", flush=True)
        done = time.monotonic()
        each_of([*files], partial(_put, storage, ahead, url), at_once=_AT_ONCE)
        took = time.monotonic() - done
    print(took, _peak())


def _write(files: dict[Path, int], seconds: float) -> None:
    began, length = time.monotonic(), 0.0
    handles = {path: path.open("wb", buffering=0) for path in files}
    while length < seconds:
        time.sleep(_TICK)
        length = min(seconds, time.monotonic() - began)
        for path, size in files.items():
            wanted = int(size * length / seconds) - handles[path].tell()
            while wanted > 0:
                wanted -= handles[path].write(os.urandom(min(wanted, 1 << 20)))
    for handle in handles.values():
        handle.close()


def _move(path: Path) -> None:
    """Put an index before all that a file holds."""
    moved = path.with_suffix(".moved")
    with path.open("rb") as source, moved.open("wb") as target:
        target.write(os.urandom(_INDEX))
        while piece := source.read(1 << 20):
            target.write(piece)
    moved.replace(path)


def _put(storage: S3Storage, ahead: Ahead, url: str, path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not ahead.finish(path, digest):
        storage.put(path, f"{url}/{path.name}", sha256=digest)


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(found[0]) * 1024


if __name__ == "__main__":
    main()
