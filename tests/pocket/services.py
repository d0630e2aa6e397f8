"""The services of a machine: started, stopped and followed by what their units say."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tests.pocket import units
from tests.pocket.units import Command, Unit


class Service:
    """One unit and what runs of it: before, main, after."""

    def __init__(self, unit: Unit, say: Callable[[str], None]) -> None:
        self.unit = unit
        self.state = "inactive"
        self.pids: set[int] = set()
        self._say = say
        self._environment: dict[str, str] = {}
        self._left: deque[tuple[str, Command]] = deque()
        self._running: tuple[str, Command, subprocess.Popen[bytes]] | None = None
        self._failed = False
        self._kill_at: float | None = None
        self._start_at: float | None = None
        self._wanted = False
        self._waiting: list[Callable[[int], None]] = []

    @property
    def busy(self) -> bool:
        """Whether it runs, or will again in a moment."""
        return self._running is not None or self._start_at is not None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._running is not None:
            return
        self._wanted, self._start_at = True, None
        self.state, self._failed, self._kill_at = "activating", False, None
        try:
            self._environment = self.unit.environment()
        except units.BadUnit as error:
            self._say(f"{self.unit.name}: {error}")
            self._end(failed=True)
            return
        for key in ("ExecStartPre", "ExecStart"):
            found = self.unit.commands(key, self._environment)
            self._left += [(key, command) for command in found]
        self._next()

    def stop(self) -> float:
        """Ask it to stop; return how long it may take for that."""
        self._wanted = False
        if self._start_at is not None:
            self._start_at = None
            self._end(failed=self._failed)
        if self._running is None or self.state in {"deactivating", "stopping-after"}:
            return self.unit.patience if self.busy else 0.0
        self.state = "deactivating"
        self._left.clear()
        self._kill_at = time.monotonic() + self.unit.patience
        self._signal(signal.SIGTERM)
        return self.unit.patience

    def when_settled(self, tell: Callable[[int], None]) -> None:
        """Call ``tell`` with 0 or 1 once it runs, or has ended where it is to end."""
        self._waiting.append(tell)
        self._settle()

    def go_on(self) -> None:
        """Lose patience, or start it again, where it is time to."""
        if self._start_at is not None and time.monotonic() >= self._start_at:
            self.start()
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_at = None
            self._signal(signal.SIGKILL)

    def ended(self, pid: int, code: int) -> bool:
        """Hear that a process ended; return whether it was this one's."""
        if self._running is None or self._running[2].pid != pid:
            return False
        key, command, process = self._running
        process.returncode = code
        self._running = None
        self._say(f"{self.unit.name}: {key} ended with {code}")
        if code != 0 and not command.may_fail and key != "ExecStopPost":
            self._failed = True
            self._left.clear()
        if key == "ExecStart" and not self._left:
            self._environment |= _result(code)
        self._next()
        return True

    def _next(self) -> None:
        if not self._left and self.state in {"activating", "active", "deactivating"}:
            self.state = "stopping-after"
            self._kill_at = None
            found = self.unit.commands("ExecStopPost", self._environment)
            self._left += [("ExecStopPost", command) for command in found]
        if not self._left:
            self._end(failed=self._failed)
            return
        key, command = self._left.popleft()
        try:
            process = self._run(command)
        except OSError as error:
            self._say(f"{self.unit.name}: {key}: {error}")
            self._failed = True
            self._left.clear()
            self._next()
            return
        self._running = (key, command, process)
        if key == "ExecStart" and not self.unit.oneshot:
            self.state = "active"
        self._settle()

    def _run(self, command: Command) -> subprocess.Popen[bytes]:
        user = None if command.as_root else self.unit.user
        for folder in self.unit.state_folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
            if isinstance(self.unit.user, int):
                os.chown(folder, self.unit.user, self.unit.user)
            else:
                shutil.chown(folder, self.unit.user or "root")
        program = shutil.which(command.argv[0], path=units.PATH) or command.argv[0]
        return subprocess.Popen(
            [program, *command.argv[1:]],
            cwd=self.unit.folder,
            env=self._environment,
            user=user,
            group=user if user is None else self.unit.last("Group") or user,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end(self, *, failed: bool) -> None:
        again = self.unit.restart_after
        if self._wanted and again is not None:
            self.state = "activating"
            self._start_at = time.monotonic() + again
            return
        self.state = "failed" if failed else "inactive"
        self._settle()

    def _settle(self) -> None:
        if self.state in {"active", "inactive", "failed"}:
            for tell in self._waiting:
                tell(int(self.state == "failed"))
            self._waiting.clear()

    def _signal(self, number: int) -> None:
        if self._running is None:
            return
        pid = self._running[2].pid
        everybody = number == signal.SIGKILL or not self.unit.kills_main_only
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if everybody else os.kill)(pid, number)


class Services:
    """All services of a machine, by the names of their units."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._known: dict[str, Service] = {}

    def get(self, name: str) -> Service:
        """Return a service, as its unit says now.

        Raises:
            BadUnit: there is no such unit that can be run.
        """
        unit = units.find(name)
        service = self._known.setdefault(unit.name, Service(unit, self._say))
        if not service.busy:
            service.unit = unit
        return service

    @property
    def busy(self) -> bool:
        return any(service.busy for service in self._known.values())

    def stop_all(self) -> float:
        """Ask all to stop; return how long they may take for that."""
        return max((service.stop() for service in self._known.values()), default=0.0)

    def go_on(self) -> None:
        for service in self._known.values():
            service.go_on()

    def ended(self, pid: int, code: int) -> None:
        """Hear that a process ended. With a service go those that it has left behind."""
        for service in self._known.values():
            if service.ended(pid, code):
                self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill what was left to PID 1 and leads no session of its own that we started."""
        ours = {s._running[2].pid for s in self._known.values() if s._running}
        sessions = {os.getsid(pid) for pid in ours}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent, _, session = status.read_text().rpartition(")")[2].split()[1:4]
                pid = int(status.parent.name)
                known = {*sessions, *self.kept}
                if parent == "1" and int(session) not in known and pid not in ours:
                    os.kill(pid, signal.SIGKILL)

    #: Sessions that are none of a service's: the user data's.
    kept: frozenset[int] = frozenset()


def _result(code: int) -> dict[str, str]:
    """Return what systemd tells of a main process that ended."""
    if code >= 0:
        said = "success" if code == 0 else "exit-code"
        return {"SERVICE_RESULT": said, "EXIT_CODE": "exited", "EXIT_STATUS": str(code)}
    name = signal.Signals(-code).name.removeprefix("SIG")
    return {"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": name}
