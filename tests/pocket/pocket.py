"""All of Amazon that we use on this machine, with an EC2 whose instances run."""

import base64
import binascii
import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests import aws_services
from tests.acceptance.amazon import served
from tests.pocket.ec2 import BROKEN, SHUTDOWN, SPOT, Ec2, Halt
from tests.pocket.front import Front
from tests.pocket.groups import lets_in
from tests.pocket.instances import Instance
from tests.pocket.running import Running
from tests.pocket.standin import StandIn
from tests.pocket.ways import Way


class Pocket:
    """Amazon, until closed. ``environment`` is how boto3 finds it, here and in instances.

    ``baked`` are folders that every machine that is started from then on has, by their
    places there: what an image would have. Orders may be given, and instances looked at, at
    any time.
    """

    def __init__(self, folder: Path, moto: str, simpledb: str) -> None:
        self.folder = folder
        self.baked: Mapping[str, Path] = {}
        self._running: dict[str, Running] = {}
        self._clocks: list[threading.Timer] = []
        self._closed = False
        self.ec2 = Ec2(_client("ec2", moto), boot=self._boot, halt=self._halt)
        self.ec2.console = lambda instance: self.said(instance)
        self.orders, self.supply = self.ec2.orders, self.ec2.supply
        self._front = Front(self.ec2, moto)
        self._services = (moto, self._front.url, simpledb)
        self.environment: Mapping[str, str] = {
            **aws_services.settings(moto),
            "AWS_ENDPOINT_URL_EC2": self._front.url,
            "AWS_ENDPOINT_URL_SIMPLEDB": simpledb,
        }

    def client(self, service: str, *, tries: int = 5) -> Any:
        """Return a client of one of the services."""
        endpoints = {
            "ec2": self.environment["AWS_ENDPOINT_URL_EC2"],
            "sdb": self.environment["AWS_ENDPOINT_URL_SIMPLEDB"],
        }
        endpoint = endpoints.get(service, self.environment["AWS_ENDPOINT_URL"])
        return _client(service, endpoint, tries)

    @property
    def instances(self) -> Sequence[Instance]:
        """All instances that there ever were, in the order of their launches."""
        return self.ec2.instances

    @property
    def alive(self) -> Sequence[Instance]:
        """Those that have not begun to end."""
        return [each for each in self.instances if each.state in {"pending", "running"}]

    def running(self, instance: Instance) -> Running:
        """Return what runs, or ran, as an instance."""
        return self._running[instance.id]

    def said(self, instance: Instance) -> str:
        """Return what stands on an instance's console."""
        running = self._running.get(instance.id)
        return running.said() if running else ""

    def processes(self, instance: Instance) -> list[int]:
        """Return the host's numbers of all processes of an instance."""
        running = self._running.get(instance.id)
        return running.machine.processes() if running and running.machine else []

    def reclaim(
        self, instance: Instance, notice: float | None = None
    ) -> Callable[[], None]:
        """Take an instance back: after so many seconds' notice, or at once without any.

        What is returned lets the rest of that time be over.
        """
        end = partial(
            self.ec2.end, instance, Halt("Service initiated", SPOT, politely=False)
        )
        if notice is None:
            end()
            return end
        metadata = self.running(instance).metadata
        metadata.interrupt(datetime.now(UTC) + timedelta(seconds=notice))
        clock = threading.Timer(notice, end)
        clock.daemon = True
        clock.start()
        self._clocks.append(clock)
        return end

    def rebalance(self, instance: Instance) -> None:
        """Recommend an instance to be elsewhere."""
        self.running(instance).metadata.rebalance()

    def cut(self, instance: Instance) -> None:
        """Take an instance's network down."""
        self._machine(instance).cut()

    def mend(self, instance: Instance) -> None:
        """Bring an instance's network up again."""
        self._machine(instance).mend()

    @contextmanager
    def seen_from(self, who: str, instance: Instance, port: int) -> Iterator[int]:
        """Give the port of this host at which an address finds an instance's port.

        The instance's security groups are asked for every connection; one that they do not
        let in is closed at once, where EC2 would let it wait in vain.
        """

        def dial() -> socket.socket:
            groups = self.client("ec2").describe_security_groups(
                GroupIds=instance.template["SecurityGroupIds"]
            )["SecurityGroups"]
            if not lets_in(groups, who, port):
                raise ConnectionRefusedError(f"no security group lets {who} in")
            return self._machine(instance).dial(instance.address, port)

        with Way(dial) as way:
            yield way.port

    @contextmanager
    def session(self, instance: Instance, port: int) -> Iterator[int]:
        """Give the port of this host that leads to an instance's own loopback.

        That is what Amazon's Session Manager does for who may, by an agent on the machine.
        """
        with Way(lambda: self._machine(instance).dial("127.0.0.1", port)) as way:
            yield way.port

    def _machine(self, instance: Instance) -> StandIn:
        machine = self.running(instance).machine
        assert machine is not None, "it has not booted"
        return machine

    def close(self) -> None:
        """End all instances, whatever they do, and answer no more."""
        self._closed = True
        for clock in self._clocks:
            clock.cancel()
        for running in list(self._running.values()):
            running.close()
        self._front.close()

    def _boot(self, instance: Instance) -> None:
        if self._closed:
            return
        self._running[instance.id] = Running(
            instance,
            user_data=_decoded(instance.template.get("UserData") or ""),
            folder=self.folder / instance.id,
            baked=self.baked,
            held=self.orders.held,
            services=self._services,
            boot=self.orders.boot,
            on_change=lambda what, why: self._changed(instance, what, why),
        )

    def _changed(self, instance: Instance, what: str, why: str) -> None:
        match what:
            case "running":
                self.ec2.settle(instance, "running")
            case "broken":
                instance.trouble = why
                self.ec2.settle(instance, "terminated", why=BROKEN)
            case "off":
                self.ec2.settle(instance, "terminated", why=SHUTDOWN)

    def _halt(self, instance: Instance, halt: Halt) -> None:
        running = self._running.get(instance.id)
        if running is None:  # it never booted
            self.ec2.settle(instance, "terminated")
        elif halt.politely:
            running.stop()
        else:
            threading.Thread(target=running.kill, daemon=True).start()


@contextmanager
def services() -> Iterator[tuple[str, str]]:
    """Run what pockets stand on, and give the URLs: of moto's server, and of SimpleDB."""
    with (
        served("tests.pocket.amazon") as moto,
        served("media_nommer.testing.simpledb") as simpledb,
    ):
        yield moto, simpledb


@contextmanager
def pocket(moto: str, simpledb: str) -> Iterator[Pocket]:
    """Run a pocket in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="pocket-", dir="/tmp") as folder:
        made = Pocket(Path(folder), moto, simpledb)
        try:
            yield made
        finally:
            made.close()


@cache
def _session() -> boto3.Session:
    said = aws_services.settings("http://127.0.0.1:9")
    return boto3.Session(
        aws_access_key_id=said["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=said["AWS_SECRET_ACCESS_KEY"],
        region_name=said["AWS_REGION"],
    )


@cache
def _client(service: str, endpoint: str, tries: int = 5) -> Any:
    """Return a client, made once: that takes a while with EC2's."""
    config = Config(retries={"total_max_attempts": tries})
    return _session().client(service, endpoint_url=endpoint, config=config)


def _decoded(user_data: str) -> bytes:
    with contextlib.suppress(binascii.Error, ValueError):
        return base64.b64decode(user_data, validate=True)
    return user_data.encode()
