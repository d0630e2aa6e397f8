"""The metadata service of one machine, at 169.254.169.254 in its own network.

It is IMDSv2 alone, as our launch templates demand it. `tests.imds` has another for tests
of the node without machines; this one answers on a socket that it is given, gives the
credentials of the role, lists what there is, and takes no orders over the network.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

from tests.pocket.instances import ACCOUNT, Instance

ADDRESS = ("169.254.169.254", 80)
_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"
_LONGEST_TTL = 21_600
_CREDENTIALS_LAST = timedelta(hours=6)


class Metadata:
    """What a machine can learn of itself. Orders come from any thread."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        #: What was asked, in order, tokens apart.
        self.asked: list[str] = []
        #: Credentials of the role, which must not show up anywhere.
        self.secrets = (secrets.token_urlsafe(30), secrets.token_urlsafe(60))
        self._tokens: dict[str, float] = {}
        self._action: Mapping[str, str] | None = None
        self._rebalance: Mapping[str, str] | None = None

    def interrupt(self, at: datetime) -> None:
        """Tell that the machine is taken back at a time."""
        self._action = {"action": "terminate", "time": written(at)}

    def rebalance(self) -> None:
        """Recommend to be elsewhere."""
        self._rebalance = {"noticeTime": written(datetime.now(UTC))}

    def give_token(self, seconds: int) -> str:
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + seconds
        return token

    def knows(self, token: str) -> bool:
        return self._tokens.get(token, 0.0) > time.monotonic()

    def look_up(self, path: str) -> str | None:
        """Return what stands at a path; the names in it where it is a folder."""
        told = self._told()
        if path in told:
            return told[path]
        folder = path if path.endswith("/") else f"{path}/"
        below = {name[len(folder) :] for name in told if name.startswith(folder)}
        names = {f"{name.partition('/')[0]}/" if "/" in name else name for name in below}
        return "\n".join(sorted(names)) or None

    def _told(self) -> dict[str, str]:
        its, meta = self.instance, "/latest/meta-data"
        told = {
            "/latest/dynamic/instance-identity/document": json.dumps(self._document()),
            f"{meta}/ami-id": str(its.template.get("ImageId", "")),
            f"{meta}/hostname": f"{its.hostname}.ec2.internal",
            f"{meta}/instance-action": "none",
            f"{meta}/instance-id": its.id,
            f"{meta}/instance-life-cycle": its.market,
            f"{meta}/instance-type": its.type,
            f"{meta}/local-hostname": f"{its.hostname}.ec2.internal",
            f"{meta}/local-ipv4": its.address,
            f"{meta}/placement/availability-zone": its.zone,
            f"{meta}/placement/region": its.zone[:-1],
            f"{meta}/services/domain": "amazonaws.com",
            f"{meta}/services/partition": "aws",
        }
        if its.shows_tags:
            told |= {f"{meta}/tags/instance/{key}": its.tags[key] for key in its.tags}
        if its.profile:
            told[f"{meta}/iam/security-credentials/{its.profile}"] = json.dumps(
                self._credentials()
            )
        if self._action:
            told[f"{meta}/spot/instance-action"] = json.dumps(self._action)
            told[f"{meta}/spot/termination-time"] = self._action["time"]
        if self._rebalance:
            told[f"{meta}/events/recommendations/rebalance"] = json.dumps(self._rebalance)
        return told

    def _document(self) -> dict[str, Any]:
        its = self.instance
        return {
            "accountId": ACCOUNT,
            "architecture": "x86_64",
            "availabilityZone": its.zone,
            "imageId": its.template.get("ImageId"),
            "instanceId": its.id,
            "instanceType": its.type,
            "pendingTime": written(its.launched_at),
            "privateIp": its.address,
            "region": its.zone[:-1],
            "version": "2017-09-30",
        }

    def _credentials(self) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "Code": "Success",
            "LastUpdated": written(now),
            "Type": "AWS-HMAC",
            "AccessKeyId": "ASIA" + self.instance.id[-16:].upper(),
            "SecretAccessKey": self.secrets[0],
            "Token": self.secrets[1],
            "Expiration": written(now + _CREDENTIALS_LAST),
        }


def written(moment: datetime) -> str:
    """Return a moment as EC2 writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    metadata: Metadata

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ttl = self.headers.get(_TTL, "")
        if "X-Forwarded-For" in self.headers:
            self._say(403)
        elif self.path != "/latest/api/token":
            self._say(404)
        elif not ttl.isdigit() or not 1 <= int(ttl) <= _LONGEST_TTL:
            self._say(400)
        else:
            self._say(200, self.metadata.give_token(int(ttl)), **{_TTL: ttl})

    def do_GET(self) -> None:
        self.metadata.asked.append(self.path)
        found = self.metadata.look_up(self.path)
        if not self.metadata.knows(self.headers.get(_TOKEN, "")):
            self._say(401)
        elif found is None:
            self._say(404)
        else:
            self._say(200, found)

    def _say(self, status: int, text: str = "", /, **headers: str) -> None:
        body = text.encode()
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a test's output is its own."""


class MetadataServer(ThreadingHTTPServer):
    """Answers on ``listener`` until closed; the listener stays its owner's."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, metadata: Metadata, listener: socket.socket) -> None:
        handler = type("_Own", (_Exchange,), {"metadata": metadata})
        super().__init__(ADDRESS, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener.dup()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.2,), daemon=True)
        self._thread.start()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients are killed here."""

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
