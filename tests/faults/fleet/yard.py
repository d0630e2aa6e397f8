"""EC2 whose instances are processes of ec2nommerd, each with its metadata and network."""

import ctypes
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fleet.fates import Fate, Fates, Lot
from tests.faults.machines import hurry
from tests.faults.proxy import Proxy
from tests.pocket.ec2 import SHUTDOWN, SPOT, Ec2, Halt, Orders
from tests.pocket.front import Front
from tests.pocket.imds import Metadata, MetadataServer
from tests.pocket.instances import Instance

#: How long a machine that is to end may take, in seconds, before it is killed.
_TO_SHUT_DOWN = 10.0

_PR_SET_PDEATHSIG = 1

#: Processes are forked from one that has loaded all this once.
_spawn = multiprocessing.get_context("forkserver")
_PRELOADED = ["tests.faults.fleet.yard", "media_nommer.daemons.ec2nommerd", "boto3"]


class Yard:
    """EC2, until closed. ``begin`` says whose machines are launched from then on."""

    def __init__(self, moto: Any, direct: Mapping[str, str]) -> None:
        _spawn.set_forkserver_preload(_PRELOADED)
        self.ec2 = Ec2(moto, boot=self._boot, halt=self._halt)
        self.front = Front(self.ec2, moto.meta.endpoint_url)
        self.met: Counter[str] = Counter()
        self._direct = direct
        self._fates: Fates | None = None
        self._environment: Mapping[str, str] = {}
        self._folder = Path()
        self._first = 0
        self._machines: list[Machine] = []
        self._over = threading.Event()

    def begin(
        self, fates: Fates | None, environment: Mapping[str, str], folder: Path
    ) -> None:
        """Launch machines with this environment, and let them meet their fates."""
        self._fates, self._environment, self._folder = fates, environment, folder
        self._first, self._machines = len(self.ec2.instances), []
        self.met.clear()
        self.ec2.orders = Orders()
        if fates is not None:
            self.ec2.orders.lost_answers["CreateFleet"] = fates.lost_launches
            self.ec2.orders.listed_after = fates.listed_after
            market, seconds = fates.lacking
            if market:
                self.ec2.supply.lack(market=market)
                self.met[f"{market} lacking"] += 1
                self._later(seconds, self.ec2.supply.restock)

    @property
    def instances(self) -> list[Instance]:
        """The instances of this run."""
        return list(self.ec2.instances[self._first :])

    @property
    def calls(self) -> Counter[str]:
        """What the machines of this run asked of Amazon's services."""
        return sum((machine.network.calls for machine in self._machines), Counter())

    def end(self) -> None:
        """Kill whatever of this run is left."""
        for machine in self._machines:
            machine.kill()
        for machine in self._machines:
            machine.join()

    def close(self) -> None:
        """Answer no more."""
        self._over.set()
        self.end()
        self.front.close()

    def _boot(self, instance: Instance) -> None:
        number = instance.number - self._first
        lot = Lot(Fate.LIVES) if self._fates is None else self._fates.of(number)
        self.met[lot.fate] += 1
        if lot.fate is Fate.DEAD:
            return
        machine = Machine(instance, self._folder / instance.id, self._direct)
        self._machines.append(machine)
        machine.boot(self._environment, lambda what: self._changed(instance, what))
        if lot.fate is not Fate.LIVES:
            self._later(lot.after, lambda: self._meet(machine, lot))

    def _meet(self, machine: "Machine", lot: Lot) -> None:
        halt = Halt("Service initiated", SPOT, politely=False)
        match lot.fate:
            case Fate.RECLAIMED:
                self.ec2.end(machine.instance, halt)
            case Fate.NOTICED:
                machine.metadata.interrupt(datetime.now(UTC) + timedelta(seconds=lot.lasts))
                self._later(lot.lasts, lambda: self.ec2.end(machine.instance, halt))
            case Fate.REBALANCED:
                machine.metadata.rebalance()
            case Fate.PARTED | Fate.LOST:
                machine.network.part(lot.lasts)

    def _changed(self, instance: Instance, what: str) -> None:
        if what == "running":
            self.ec2.settle(instance, "running")
        else:
            self.ec2.settle(instance, "terminated", why=SHUTDOWN)

    def _halt(self, instance: Instance, halt: Halt) -> None:
        machine = next((m for m in self._machines if m.instance is instance), None)
        if machine is None:  # it never booted
            self.ec2.settle(instance, "terminated")
        elif halt.politely:
            machine.stop()
            self._later(_TO_SHUT_DOWN, machine.kill)
        else:
            machine.kill()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def wait() -> None:
            if not self._over.wait(seconds):
                act()

        threading.Thread(target=wait, daemon=True).start()


class Machine:
    """One process of ec2nommerd, and what is around it."""

    def __init__(self, instance: Instance, folder: Path, direct: Mapping[str, str]) -> None:
        self.instance = instance
        self.metadata = Metadata(instance)
        self.network = Proxy(direct, lambda _call: None)
        self._folder = folder
        self._process: BaseProcess | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._dead = False

    def boot(self, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        """Start it; ``tell`` is called with ``running`` and ``off``."""
        self._thread = threading.Thread(
            target=self._live, args=(environment, tell), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Have it shut down."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once; its encoders go with it."""
        with self._lock:
            self._dead = True
        self._signal(signal.SIGKILL)

    def join(self) -> None:
        """Wait until nothing of it is left."""
        if self._thread is not None:
            self._thread.join(120)

    def _live(self, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._folder.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = MetadataServer(self.metadata, listener)
            host, port = listener.getsockname()
            told = {
                **environment,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{host}:{port}",
                "AWS_ENDPOINT_URL": self.network.urls["aws"],
                "AWS_ENDPOINT_URL_SIMPLEDB": self.network.urls["simpledb"],
                "NOMMER_DATA_DIR": str(self._folder),
                "NOMMER_SCRATCH_DIR": str(self._folder / "scratch"),
            }
            try:
                with self._lock:
                    if not self._dead:
                        self._process = _spawn.Process(
                            target=_nom, args=(told, str(self._folder / "log"))
                        )
                        self._process.start()
                if self._process is not None:
                    tell("running")
                    self._process.join()
            finally:
                server.close()
                self.network.close()
        tell("off")

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if self._process is not None and self._process.is_alive():
                os.kill(self._process.pid or 0, number)


def _nom(environment: Mapping[str, str], said: str) -> None:
    """Be the machine: its processes die with this one, and it with who forked it."""
    from media_nommer.conf import load_settings  # noqa: PLC0415
    from media_nommer.daemons.ec2nommerd import run_worker  # noqa: PLC0415

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    log = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in [name for name in os.environ if name.startswith(("AWS_", "NOMMER_"))]:
        del os.environ[name]
    os.environ.update(environment)
    hurry(pytest.MonkeyPatch())
    run_worker(load_settings())


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    """Return whether something happened in time."""
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
