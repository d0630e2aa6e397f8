"""The metadata service of an EC2 machine: tokens as IMDSv2 wants them, notices to order.

In a process of its own: ``python -m tests.imds --node n1 --market spot``. Its first line is
its URL; ``PUT /test/notice`` with ``{"in": 120}``, ``PUT /test/rebalance`` and
``DELETE /test/notice`` order notices from outside.
"""

import argparse
import json
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"
_META = "/latest/meta-data/"
_LONGEST_TTL = 21600


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A machine as its metadata tells of it; tags are those under plain keys."""

    id: str = "i-0123456789abcdef0"
    type: str = "c7i.xlarge"
    zone: str = "eu-central-1b"
    market: str = "spot"
    pending_time: datetime = datetime(2026, 1, 1, 11, 59, 30, tzinfo=UTC)
    tags: dict[str, str] = field(default_factory=dict)

    def document(self) -> str:
        """Return the identity document, as far as anybody here reads it."""
        return json.dumps(
            {
                "accountId": "123456789012",
                "architecture": "x86_64",
                "availabilityZone": self.zone,
                "imageId": "ami-0123456789abcdef0",
                "instanceId": self.id,
                "instanceType": self.type,
                "pendingTime": written(self.pending_time),
                "region": self.zone[:-1],
                "version": "2017-09-30",
            }
        )


def written(moment: datetime) -> str:
    """Return a moment as EC2 writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Imds:
    """The service and what it is to tell. What was asked of it is in ``asked``."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.endpoint = ""
        self.asked: list[str] = []
        #: Paths answered with this text, whatever would be there.
        self.odd: dict[str, str] = {}
        self._tokens: dict[str, float] = {}
        self._action: dict[str, str] | None = None
        self._rebalance: dict[str, str] | None = None
        self._awake = threading.Event()
        self._awake.set()

    def interrupt(self, at: datetime, *, action: str = "terminate") -> None:
        """Have the notice out that the machine is taken back at a time."""
        self._action = {"action": action, "time": written(at)}

    def rebalance(self, at: datetime | None = None) -> None:
        """Have the recommendation out that work should go elsewhere."""
        self._rebalance = {"noticeTime": written(at or datetime.now(UTC))}

    def calm(self) -> None:
        """Take every notice back."""
        self._action = self._rebalance = None

    def expire_tokens(self) -> None:
        """Forget every token that was given."""
        self._tokens.clear()

    def hang(self) -> None:
        """Answer nothing more, until ``wake``; connections are still taken."""
        self._awake.clear()

    def wake(self) -> None:
        """Answer again."""
        self._awake.set()

    def answered(self) -> bool:
        """Wait while it hangs; return whether there is still somebody to answer."""
        return self._awake.wait(60)

    def give_token(self, ttl: int) -> str:
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.monotonic() + ttl
        return token

    def knows(self, token: str) -> bool:
        return self._tokens.get(token, 0.0) > time.monotonic()

    def look_up(self, path: str) -> str | None:
        """Return what stands at a path, None for nothing."""
        if path in self.odd:
            return self.odd[path]
        told = {
            "/latest/dynamic/instance-identity/document": self.instance.document(),
            f"{_META}instance-id": self.instance.id,
            f"{_META}instance-type": self.instance.type,
            f"{_META}instance-life-cycle": self.instance.market,
            f"{_META}placement/availability-zone": self.instance.zone,
            f"{_META}placement/region": self.instance.zone[:-1],
        }
        told |= {f"{_META}tags/instance/{k}": v for k, v in self.instance.tags.items()}
        if self._action:
            told[f"{_META}spot/instance-action"] = json.dumps(self._action)
            told[f"{_META}spot/termination-time"] = self._action["time"]
        if self._rebalance:
            place = f"{_META}events/recommendations/rebalance"
            told[place] = json.dumps(self._rebalance)
        return told.get(path)


class _Exchange(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    imds: Imds

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/test/"):
            self._order(json.loads(body or b"{}"))
            return
        if not self._begun():
            return
        ttl = self.headers.get(_TTL, "")
        if self.path != "/latest/api/token":
            self._say(404)
        elif not ttl.isdigit() or not 1 <= int(ttl) <= _LONGEST_TTL:
            self._say(400)
        elif "X-Forwarded-For" in self.headers:
            self._say(403)
        else:
            self._say(200, self.imds.give_token(int(ttl)), **{_TTL: ttl})

    def do_GET(self) -> None:
        if not self._begun():
            return
        found = self.imds.look_up(self.path)
        if not self.imds.knows(self.headers.get(_TOKEN, "")):
            self._say(401)
        elif found is None:
            self._say(404)
        else:
            self._say(200, found)

    def do_DELETE(self) -> None:
        self.imds.calm()
        self._say(204)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def _begun(self) -> bool:
        self.imds.asked.append(f"{self.command} {self.path}")
        return self.imds.answered()

    def _order(self, wanted: dict[str, float]) -> None:
        if self.path == "/test/notice":
            self.imds.interrupt(datetime.now(UTC) + timedelta(seconds=wanted["in"]))
        else:
            self.imds.rebalance()
        self._say(204)

    def _say(self, status: int, text: str = "", /, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up when they have waited long enough."""


def server_for(imds: Imds, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """Return a server that is bound, and not yet served; ``imds`` knows its URL then."""
    handler = type("_Own", (_Exchange,), {"imds": imds})
    server = _Server((host, port), handler)
    imds.endpoint = f"http://{host}:{server.server_address[1]}"
    return server


@contextmanager
def serving_imds(instance: Instance | None = None) -> Iterator[Imds]:
    """Run a metadata service on loopback while the block runs."""
    imds = Imds(instance or Instance())
    server = server_for(imds)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield imds
    finally:
        imds.wake()
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    """Serve one machine's metadata until killed."""
    parser = argparse.ArgumentParser("imds", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--instance-id", default=Instance.id)
    parser.add_argument("--type", default=Instance.type)
    parser.add_argument("--zone", default=Instance.zone)
    parser.add_argument("--market", default="spot", choices=("spot", "on-demand"))
    parser.add_argument("--node", help="the value of the tag nommer-node")
    said = parser.parse_args()
    imds = Imds(
        Instance(
            id=said.instance_id,
            type=said.type,
            zone=said.zone,
            market=said.market,
            pending_time=datetime.now(UTC),
            tags={"nommer-node": said.node} if said.node else {},
        )
    )
    server = server_for(imds, said.host, said.port)
    sys.stdout.write(imds.endpoint + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
