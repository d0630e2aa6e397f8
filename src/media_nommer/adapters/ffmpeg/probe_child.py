"""The probe server: has PyAV loaded and forks per file, so that a bad file harms one fork.

The launcher starts it as a script, with its end of a control socket as descriptor 3 and, as
its argument, the module path. Each request is ``{"verb", "name", "wall", "cpu",
"memory"}``, with ``"after"`` of a file that grows, and two descriptors, the file and a pipe
for the answer. The fork answers ``{"found": …}`` or ``{"error", "message", "advice"}``; a
pipe that closes without an answer means that it died.
"""

import json
import os
import resource
import select
import signal
import socket
import sys
from dataclasses import asdict
from math import ceil
from typing import Any, NoReturn

CONTROL_FD = 3
MAX_REQUEST = 64 * 1024
IDLE_SECONDS = 60.0


def main() -> None:
    """Serve until the worker is gone, or nothing was asked for a minute."""
    sys.path[:] = json.loads(sys.argv[1])
    from media_nommer.adapters.ffmpeg import (  # noqa: PLC0415  # before any fork
        fragments,  # noqa: F401
        reading,  # noqa: F401
    )
    from media_nommer.adapters.ffmpeg.launcher_child import take  # noqa: PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the forks
    control = socket.socket(fileno=CONTROL_FD)
    while _asked(control):
        message, fds = take(control, MAX_REQUEST)
        if not message:
            return
        parent = os.getpid()
        if os.fork() == 0:
            _serve_one(json.loads(message), control, fds, parent)
        for fd in fds:
            os.close(fd)


def _asked(control: socket.socket) -> bool:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    return bool(poll.poll(IDLE_SECONDS * 1000))


def _serve_one(
    request: dict[str, Any], control: socket.socket, fds: list[int], parent: int
) -> NoReturn:
    """Answer one request in this fork, which never returns."""
    try:
        from media_nommer.adapters.ffmpeg.launcher_child import (  # noqa: PLC0415
            die_with_parent,
        )

        media, reply = fds
        control.close()
        die_with_parent(parent)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, request["wall"])
        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
        seconds = max(1, ceil(request["cpu"]))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        answer = json.dumps(_answer(request, media), default=str).encode()
        while answer:
            answer = answer[os.write(reply, answer) :]
    finally:
        os._exit(0)


def _answer(request: dict[str, Any], media: int) -> dict[str, Any]:
    from media_nommer.adapters.ffmpeg import reading  # noqa: PLC0415
    from media_nommer.adapters.ffmpeg.fragments import (  # noqa: PLC0415
        read_fragments,
        read_so_far,
    )
    from media_nommer.core.errors import NommerError  # noqa: PLC0415

    try:
        if request["verb"] == "count":
            return {
                "found": [asdict(each) for each in reading.count(media, request["name"])]
            }
        if request["verb"] == "fragments":
            return {"found": asdict(read_fragments(media, request["name"]))}
        if request["verb"] == "so_far":
            so_far = read_so_far(media, request["name"], request["after"])
            return {"found": so_far and asdict(so_far)}
        return {"found": asdict(reading.inspect(media, request["name"]))}
    except NommerError as error:
        return {
            "error": error.code,
            "message": error.message,
            "advice": error.advice,
        }
    except MemoryError:
        message = f"{request['name']} needs more memory to read than it may use"
    except Exception as error:  # the outermost frame of this process: say it, then end
        message = f"{request['name']} could not be understood: {error!r}"
    return {"error": "NOT_MEDIA", "message": message, "advice": None}


if __name__ == "__main__":
    main()
