"""Nodes that are processes of this machine, which go on when who started them is gone."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

from typing_extensions import override

from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import BadRequest, StorageError
from media_nommer.core.nodes import Machine, Node, NodeId
from media_nommer.core.ports.fleet import Fleet

#: The kind of the nodes of this fleet.
LOCAL = "local"

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class LocalFleet(Fleet):
    """Starts ``command --node-id ID`` once for each node, in a session of its own.

    Below ``data_dir``, ``nodes/ID.lock`` says that a node was started, and as long as it
    runs its process holds a lock on that file: no other process can be taken for it, and a
    later fleet on the same folder sees it too. ``logs/ID.log`` gets what it prints. The
    files of nodes that ended are removed after ``keep_for``.
    """

    def __init__(
        self,
        data_dir: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        keep_for: timedelta = timedelta(days=7),
        clock: Clock = system_clock,
    ) -> None:
        self._nodes = data_dir / "nodes"
        self._logs = data_dir / "logs"
        self._data_dir = data_dir
        self._command = tuple(command)
        self._environment = dict(environment)
        self._keep_for = keep_for
        self._clock = clock
        self._host = socket.gethostname()
        self._children: dict[NodeId, subprocess.Popen[bytes]] = {}
        self._mutex = threading.Lock()

    @override
    def start(self, node: Node) -> Machine:
        """Start the process of a node, once for its id; it costs nothing."""
        with self._mutex:
            try:
                self._nodes.mkdir(parents=True, exist_ok=True)
                self._logs.mkdir(parents=True, exist_ok=True)
                self._remove_old()
                self._start(node)
            except OSError as error:
                raise StorageError(
                    f"node {node.id} cannot be started: {error.strerror or error}"
                ) from error
        return Machine(price=0.0, started_at=node.created_at)

    @override
    def machines(self) -> Mapping[NodeId, Machine]:
        """Return the nodes whose processes run, whoever started them."""
        with self._mutex:
            self._bury_children()
            locks = sorted(self._nodes.glob("*.lock"))
            running = [lock for lock in locks if _is_held(lock)]
            return {NodeId(lock.stem): Machine(price=0.0) for lock in running}

    @override
    def answers_for(self, node: Node) -> bool:
        """Return whether a node's process was started on this machine."""
        return node.kind == LOCAL and node.host == self._host

    @override
    def stop(self, node_id: NodeId) -> None:
        """Send a node's process SIGTERM."""
        self._signal(node_id, signal.SIGTERM)

    @override
    def kill(self, node_id: NodeId) -> None:
        """Send a node's process SIGKILL; its helper ends what it has started."""
        self._signal(node_id, signal.SIGKILL)

    def log_of(self, node_id: NodeId) -> Path:
        """Return where what a node prints is kept."""
        return self._logs / f"{_checked(node_id)}.log"

    def _start(self, node: Node) -> None:
        lock = self._lock_of(node.id)
        with closing(_File(lock)) as file:
            if not file.lock() or file.read():
                return  # it runs, or has run
            with self.log_of(node.id).open("ab") as log:
                child = subprocess.Popen(
                    [*self._command, "--node-id", node.id],
                    cwd=self._data_dir,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(file.handle,),  # the lock lives as long as the child
                    start_new_session=True,
                )
            file.write(str(child.pid))
        self._children[node.id] = child

    def _signal(self, node_id: NodeId, number: signal.Signals) -> None:
        """Signal the process that holds a node's lock, and no other one.

        The process is opened first and the lock looked at then: as long as it is held, the
        number cannot have passed to another process.
        """
        lock = self._lock_of(node_id)
        with self._mutex, suppress(OSError, ValueError):
            handle = os.pidfd_open(int(lock.read_text()))
            try:
                if _is_held(lock):
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    def _bury_children(self) -> None:
        """Take note of children that ended, so that they do not stay as zombies."""
        for node_id, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[node_id]

    def _remove_old(self) -> None:
        oldest = (self._clock.now() - self._keep_for).timestamp()
        for lock in self._nodes.glob("*.lock"):
            if lock.stat().st_mtime < oldest and not _is_held(lock):
                lock.unlink()
                self.log_of(NodeId(lock.stem)).unlink(missing_ok=True)

    def _lock_of(self, node_id: NodeId) -> Path:
        return self._nodes / f"{_checked(node_id)}.lock"


class _File:
    """A file of a few bytes that can be locked."""

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def lock(self) -> bool:
        """Take the lock and keep it until every copy of the handle is closed."""
        return _try_lock(self.handle)

    def read(self) -> bytes:
        """Return what is in it."""
        return os.pread(self.handle, 100, 0)

    def write(self, text: str) -> None:
        """Put ``text`` in it."""
        os.pwrite(self.handle, text.encode(), 0)

    def close(self) -> None:
        """Close it here."""
        os.close(self.handle)


def _is_held(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _try_lock(handle: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _checked(node_id: NodeId) -> str:
    if not _SAFE_ID.fullmatch(node_id):
        raise BadRequest(f"{node_id!r} cannot be the id of a local node")
    return node_id
