"""PID 1 of a stand-in machine: what runs user data, units and the end of the machine.

Programs that a machine has for this (`systemctl`, `shutdown`, …) are replaced by a script
that asks here (`stubs`). What all of it prints goes to the machine's console.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.pocket import linux, root, units
from tests.pocket.services import Service, Services

#: What init and its keeper say to each other.
WANTS_USERS, HAS_USERS, STOP = b"u", b"U", b"s"

DOOR = "/run/pocket/init"

#: What stands on the console when a machine is off, and its files can be looked at.
HELD = "off, and held"

#: How a machine ends: it was switched off, its keeper is gone, it is not what it should be.
OFF, LEFT, WRONG = 0, 70, 71

#: What is left to a script of the user's when the machine goes down, in seconds.
_LAST_WORDS = 60.0


def run(leash: socket.socket, spec: dict[str, Any]) -> int:
    """Run the machine until it is switched off; return how it ended."""
    linux.unshare(linux.CLONE_NEWUSER)
    leash.sendall(WANTS_USERS)
    if leash.recv(1) != HAS_USERS:
        return LEFT
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    users = Path("/proc/self/uid_map").read_text().split()
    if not root.is_ours(spec["id"]) or users != ["0", "0", "65536"]:
        say("this is not the machine that it should be: nothing is run")
        return WRONG
    status = System(leash, spec["scripts"]).serve()
    if status == OFF and spec["held"]:
        say(HELD)
        leash.recv(1)  # until it is killed
    return status


def say(text: str) -> None:
    """Write a line to the console."""
    sys.stdout.write(f"pocket: {text}\n")
    sys.stdout.flush()


class System:
    """What runs in a machine. It has one thread."""

    def __init__(self, leash: socket.socket, scripts: list[str]) -> None:
        self._leash = leash
        self._scripts = list(scripts)
        self._script: subprocess.Popen[bytes] | None = None
        self.services = Services(say)
        self._selector = selectors.DefaultSelector()
        self._off_at: float | None = None
        self._going_down = False
        self._give_up_at = 0.0

    def serve(self) -> int:
        """Work until the machine is off."""
        wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(DOOR)
        self._door.listen(16)
        Path(DOOR).chmod(0o666)
        for each in (wake, self._leash, self._door):
            self._selector.register(each, selectors.EVENT_READ)
        self._next_script()
        while not self._is_off():
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj == wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake, 4096)
                elif key.fileobj is self._door:
                    self._open_door()
                elif not self._leash.recv(16):
                    return LEFT
                else:
                    self.go_down("its owner asks for it")
            self._reap()
            self.services.go_on()
        say("off")
        return OFF

    def go_down(self, why: str) -> None:
        """Stop all that runs, and then the machine."""
        if self._going_down:
            return
        say(f"going down: {why}")
        self._going_down = True
        self._scripts.clear()
        if self._script is not None:
            self._script.terminate()
        self._give_up_at = time.monotonic() + max(_LAST_WORDS, self.services.stop_all())

    def _is_off(self) -> bool:
        if self._off_at is not None and time.monotonic() >= self._off_at:
            self.go_down("shutdown")
        if not self._going_down:
            return False
        busy = self.services.busy or self._script is not None
        return not busy or time.monotonic() >= self._give_up_at

    def _patience(self) -> float | None:
        if self._going_down or self.services.busy:
            return 0.2
        return None if self._off_at is None else max(0.0, self._off_at - time.monotonic())

    def _next_script(self) -> None:
        self._script = None
        if self._scripts:
            path = self._scripts.pop(0)
            say(f"user data: {path}")
            # cloud-init gives no HOME.
            self._script = subprocess.Popen(
                [path],
                cwd="/",
                env={"PATH": units.PATH, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            self.services.kept |= {self._script.pid}

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            if self._script is not None and pid == self._script.pid:
                self._script.returncode = code
                say(f"user data: ended with {code}")
                self._next_script()
            else:
                self.services.ended(pid, code)

    def _open_door(self) -> None:
        asking, _ = self._door.accept()
        asked = json.loads(asking.makefile("rb").readline() or b"[]")
        if asked:
            self._answer(asking, Path(asked[0]).name, asked[1:])
        else:
            asking.close()

    def _answer(self, asking: socket.socket, program: str, words: list[str]) -> None:
        if program == "systemctl":
            verb, names, wait = _asked_of_systemctl(words)
            if verb in {"poweroff", "halt", "reboot"}:
                program = verb
            else:
                self._manage(asking, verb, names, wait)
                return
        if program == "shutdown" and "-c" in words:
            self._off_at = None
        else:
            self._off_at = time.monotonic() + _delay(program, words)
        tell(asking, 0, "")

    def _manage(
        self, asking: socket.socket, verb: str, names: list[str], wait: bool
    ) -> None:
        try:
            services = [self.services.get(name) for name in names]
            answer = self._do(verb, services)
        except units.BadUnit as error:
            tell(asking, 5, f"{error}\n")
            return
        if answer is not None:
            tell(asking, *answer)
        elif not wait or not services:
            tell(asking, 0, "")
        else:
            services[-1].when_settled(lambda status: tell(asking, status, ""))

    def _do(self, verb: str, services: list[Service]) -> tuple[int, str] | None:
        """Do what is asked; None says that it is under way."""
        for service in services:
            if verb in {"start", "restart", "enable-now"} and not self._going_down:
                service.start()
            elif verb in {"stop", "kill"}:
                service.stop()
        states = "".join(f"{service.state}\n" for service in services)
        match verb:
            case "is-active" | "is-failed" | "status":
                wanted = "failed" if verb == "is-failed" else "active"
                good = all(service.state == wanted for service in services)
                return (0 if good else 3), states
            case "daemon-reload" | "enable" | "disable" | "mask" | "reset-failed":
                return 0, ""
            case "start" | "restart" | "stop" | "kill" | "enable-now":
                return None
        return 1, f"systemctl {verb} is not done here\n"


def tell(asking: socket.socket, status: int, text: str) -> None:
    """Answer who asked, if it still waits."""
    with asking, contextlib.suppress(OSError):
        asking.sendall(json.dumps([status, text]).encode() + b"\n")


def _asked_of_systemctl(words: list[str]) -> tuple[str, list[str], bool]:
    options = [word for word in words if word.startswith("-")]
    verb, *names = [word for word in words if not word.startswith("-")] or [""]
    if verb == "enable" and "--now" in options:
        verb = "enable-now"
    return verb, names, "--no-block" not in options


def _delay(program: str, words: list[str]) -> float:
    """Return in how many seconds ``shutdown`` and its like want the machine off."""
    if program != "shutdown":
        return 0.0
    said = [word for word in words if word == "now" or word.lstrip("+").isdigit()]
    if not said:
        return 60.0
    return 0.0 if said[0] == "now" else 60.0 * int(said[0].lstrip("+"))
