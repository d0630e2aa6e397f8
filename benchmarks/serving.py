"""A feederd of our own for one measurement, started by command, and how to ask it."""

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.running import CommandFailed, Running

_START, _STOP = 30.0, 60.0
#: Seconds; feederd closes a connection that was silent for five.
_KEPT_OPEN = 3.0


def program(name: str) -> str:
    """Return where one of our commands is: beside the Python that runs this."""
    return str(Path(sys.executable).with_name(name))


def clean_environment(settings: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return this environment without settings of media-nommer, and with these ones."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NOMMER_")}
    ours = {f"NOMMER_{name.upper()}": value for name, value in settings.items()}
    return kept | {"NOMMER_CONFIG": ""} | ours


class Client:
    """One connection to feederd, kept open while it is in use. For one thread."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._last_used = time.monotonic()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what feederd answers.

        Raises:
            CommandFailed: it answers with an error.
        """
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        if time.monotonic() - self._last_used > _KEPT_OPEN:
            self.close()  # the next request opens it again
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        self._last_used = time.monotonic()
        if answer.status >= 300:
            raise CommandFailed(f"{method} {path}: {answer.status} {said[:500]!r}")
        return json.loads(said)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A ``nommer serve`` that answers."""

    running: Running
    client: Client
    port: int

    def nodes_there(self, count: int) -> None:
        """Wait until so many nodes run."""

        def there() -> bool:
            nodes: list[dict[str, Any]] = self.client.ask("GET", "/v1/nodes")["nodes"]
            return [node["state"] for node in nodes].count("running") == count

        wait_for(there, _START, f"{count} nodes to run")

    def unfinished(self) -> bool:
        """Return whether any job is not final."""
        path = "/v1/jobs?state=pending&state=running&limit=1"
        return bool(self.client.ask("GET", path)["jobs"])


@contextmanager
def served(
    folder: Path,
    *,
    min_nodes: int = 0,
    max_nodes: int = 1,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Run ``nommer serve`` on a free port, its data below ``folder``, and stop it after.

    Raises:
        CommandFailed: it does not start; the end of its log is told.
    """
    port = free_port()
    argv = [program("nommer"), "serve", "--port", str(port)]
    argv += ["--data-dir", str(folder / "data")]
    argv += ["--min-nodes", str(min_nodes), "--max-nodes", str(max_nodes)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "serve.log"
    with (
        path.open("wb") as log,
        Running(
            argv, cwd=folder, env=clean_environment(settings or {}), stdout=log, stderr=log
        ) as running,
    ):
        client = Client(port)
        try:
            wait_for(lambda: _answers(running, client, path), _START, "feederd to answer")
            yield Served(running, client, port)
        finally:
            client.close()
            running.stop(_STOP)


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is so.

    Raises:
        CommandFailed: it does not come to be so in time.
    """
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise CommandFailed(f"waited {seconds:g} seconds in vain for {what}")
        time.sleep(0.1)


def job_document(source: Path, destination: Path) -> Mapping[str, object]:
    """Return the job that makes ``web`` of a file."""
    return {
        "inputs": [{"url": source.as_uri()}],
        "destination": destination.as_uri(),
        "outputs": [{"preset": "web"}],
    }


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(running: Running, client: Client, log: Path) -> bool:
    if not running.alive:
        raise CommandFailed(f"nommer serve ended: {log.read_text()[-1000:]}")
    try:
        return bool(client.ask("GET", "/healthz"))
    except OSError:
        client.close()
        return False
