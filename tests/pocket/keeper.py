"""The outer process of a stand-in machine: it makes its namespaces, and ends with it.

``python -m tests.pocket.keeper SPEC`` is started by the pocket with a socket as its
standard input. It sends the listening sockets of the machine's network through it once it
has them, and takes words from it: ``stop``, ``kill``, ``cut``, ``mend``, and
``dial:HOST:PORT``, which it answers with a connection to that address of the machine's
network, or with why there is none. The end of that socket is as good as ``kill``. It ends
when the machine has, all its processes included.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.pocket import init, linux, root

_USERS = 65536


def keep(control: socket.socket, spec: dict[str, Any]) -> int:
    """Run the machine to its end; return how its init ended."""
    linux.unshare(
        linux.CLONE_NEWNS
        | linux.CLONE_NEWUTS
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWPID
        | linux.CLONE_NEWNET
    )
    listeners = linux.listen(
        [(host, port) for host, port in spec["listen"]], spec["address"]
    )
    socket.send_fds(control, [b"listening\n"], [each.fileno() for each in listeners])
    for each in listeners:
        each.close()
    processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY)  # as seen from outside
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        control.close()
        os.close(processes)
        _become_init(theirs, spec)
    theirs.close()
    with ours:
        if ours.recv(1) == init.WANTS_USERS:
            _map_users(processes, pid)
            ours.sendall(init.HAS_USERS)
        _tend(control, ours, pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become_init(leash: socket.socket, spec: dict[str, Any]) -> NoReturn:
    status = 70
    try:
        root.make(spec)
        status = init.run(leash, spec)
    except BaseException as error:
        sys.stderr.write(f"the machine fell over: {error!r}\n")
    finally:
        sys.stderr.flush()
        os._exit(status)


def _map_users(processes: int, pid: int) -> None:
    """Let users keep their numbers, in the namespace where they have no power outside."""
    for name in ("uid_map", "gid_map"):
        fd = os.open(f"{pid}/{name}", os.O_WRONLY, dir_fd=processes)
        with os.fdopen(fd, "w") as written:
            written.write(f"0 0 {_USERS}")


def _tend(control: socket.socket, leash: socket.socket, pid: int) -> None:
    """Do what comes from the pocket, until the machine is off."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(leash, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if leash in ready:
                return
            words = control.recv(4096).split()
            for word in words or [b"kill"]:
                if word.startswith(b"dial:"):
                    _dial(control, word)
                else:
                    _obey(word, leash, pid)
            if not words:
                return


def _dial(control: socket.socket, word: bytes) -> None:
    """Answer with a connection into the machine, or that nobody answers there."""
    _, host, port = word.decode().split(":")
    try:
        with linux.dial((host, int(port))) as made:
            socket.send_fds(control, [b"here\n"], [made.fileno()])
    except OSError as error:
        control.sendall(f"{error}\n".encode())


def _obey(word: bytes, leash: socket.socket, pid: int) -> None:
    match word:
        case b"kill":
            os.kill(pid, signal.SIGKILL)
        case b"stop":
            with contextlib.suppress(OSError):  # it is off already
                leash.sendall(init.STOP)
        case b"cut" | b"mend":
            linux.loopback(up=word == b"mend")


def main() -> int:
    """Keep one machine."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    with socket.socket(fileno=os.dup(0)) as control:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        return keep(control, spec)


if __name__ == "__main__":
    sys.exit(main())
