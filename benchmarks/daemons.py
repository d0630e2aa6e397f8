"""A feederd and a kept worker on Amazon's services, whose calls are written down."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.amazon import CHECKOUT
from benchmarks.prices import Cost, cost_of
from benchmarks.running import CommandFailed, Running
from benchmarks.serving import Client, clean_environment, free_port, wait_for

_START, _STOP = 90.0, 60.0
#: Chores of feederd, by the names of their threads.
CHORES = ("scaling", "reaping", "putting-again", "deadlines", "tidying", "archiving")
DUTIES, BEATS, POLLS = "duties", "the node's beats", "long polls"
#: A duty and a node, as a key in a request to DynamoDB or to SimpleDB.
_OF_A_DUTY, _OF_A_NODE = (
    re.compile(rf'"S": ?"{noun}[ s]|ItemName={noun}(\+|%20)') for noun in ("duty", "node")
)


@dataclass(frozen=True)
class Call:
    """One call: when, by which daemon's thread, of what, and what was said."""

    at: float
    daemon: str
    thread: str
    service: str
    operation: str
    status: int
    request: str
    answer: str

    @cached_property
    def who(self) -> str:
        """Which part of which daemon makes it."""
        if _OF_A_DUTY.search(self.request):
            return DUTIES
        if self.daemon == "feederd":
            return self.thread if self.thread in CHORES else "answering"
        if self.thread.startswith("sqs-"):
            return POLLS
        if self.thread == "keeper":
            return BEATS if _OF_A_NODE.search(self.request) else "beats of claims"
        return "looking for tasks" if self.thread == "MainThread" else "working"

    @cached_property
    def cost(self) -> Cost:
        """What it costs."""
        return cost_of(self.service, self.operation, self.request, self.answer)


@dataclass(frozen=True, slots=True)
class Daemons:
    """The two, and what they were told."""

    name: str
    settings: Mapping[str, str]
    client: Client
    folder: Path
    running: tuple[Running, ...]

    def calls(self) -> list[Call]:
        """Return all calls so far, oldest first.

        Raises:
            CommandFailed: one of the two has ended.
        """
        if not all(each.alive for each in self.running):
            raise CommandFailed(f"a daemon ended: {_last_words(self.folder)}")
        found = []
        for daemon in ("feederd", "ec2nommerd"):
            lines = (self.folder / f"{daemon}.calls").read_text().splitlines()
            found += [Call(daemon=daemon, **json.loads(line)) for line in lines]
        return sorted(found, key=lambda call: call.at)


@contextmanager
def daemons(folder: Path, name: str, store: str) -> Iterator[Daemons]:
    """Run the two with their default settings, and wait until they work.

    Raises:
        CommandFailed: they do not start.
    """
    folder.mkdir(parents=True)
    port = free_port()
    settings = {
        "data_dir": str(folder / "data"),
        "store": store,
        "work": f"s3://bench-work/{store.partition('://')[2]}",
        "port": str(port),
    }
    client = Client(port)
    with ExitStack() as stack:
        stack.callback(client.close)
        feederd = stack.enter_context(_daemon(folder, settings, "feederd"))
        wait_for(lambda: _answers(client), _START, "feederd to answer")
        worker = stack.enter_context(_daemon(folder, settings, "ec2nommerd", "--kept"))

        def joined() -> bool:
            if not worker.alive:
                raise CommandFailed(f"a daemon ended: {_last_words(folder)}")
            nodes = client.ask("GET", "/v1/nodes")["nodes"]
            return any(node["state"] == "running" for node in nodes)

        wait_for(joined, _START, "the worker to join")
        yield Daemons(name, settings, client, folder, (feederd, worker))


@contextmanager
def _daemon(folder: Path, settings: Mapping[str, str], *argv: str) -> Iterator[Running]:
    with (
        (folder / f"{argv[0]}.log").open("wb") as log,
        Running(
            [
                *(sys.executable, "-m", "benchmarks.recorded"),
                *(str(folder / f"{argv[0]}.calls"), *argv),
            ],
            cwd=CHECKOUT,
            env=clean_environment(settings),
            stdout=log,
            stderr=log,
        ) as running,
    ):
        try:
            yield running
        finally:
            if running.alive:
                running.stop(_STOP)


def _answers(client: Client) -> bool:
    try:
        return bool(client.ask("GET", "/healthz"))
    except OSError:
        client.close()
        return False


def _last_words(folder: Path) -> str:
    return " | ".join(path.read_text()[-500:] for path in sorted(folder.glob("*.log")))
