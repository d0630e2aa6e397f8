"""The door to EC2: instances are ours, and what is not is passed on to moto."""

import http.client
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from typing_extensions import override

from tests.pocket import query
from tests.pocket.ec2 import Ec2
from tests.pocket.query import Refused

_OF_CONNECTION = {
    "connection",
    "content-length",
    "date",
    "expect",
    "keep-alive",
    "transfer-encoding",
}


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ec2: Ec2
    moto: str

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action, fields = query.read_form(body)
        if not self.ec2.knows(action):
            self._pass_on(body)
            return
        try:
            answer = self.ec2.answer(action, query.read_request(action, fields))
            status, content = 200, query.write_answer(action, answer)
        except Refused as error:
            status, content = error.status, error.document()
        if self.ec2.loses_answer(action):
            self.close_connection = True
            return
        self._say(status, {"Content-Type": "text/xml;charset=UTF-8"}, content)

    def _pass_on(self, body: bytes) -> None:
        behind = http.client.HTTPConnection(urlsplit(self.moto).netloc, timeout=60)
        try:
            sent = {
                k: v for k, v in self.headers.items() if k.lower() not in _OF_CONNECTION
            }
            behind.request(self.command, self.path, body=body, headers=sent)
            answer = behind.getresponse()
            said = {k: v for k, v in answer.getheaders() if k.lower() not in _OF_CONNECTION}
            self._say(answer.status, said, answer.read())
        finally:
            behind.close()

    def _say(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        ours = {"Content-Length": str(len(content)), "Date": self.date_time_string()}
        for name, value in {**headers, **ours}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a test's output is its own."""


class Front(ThreadingHTTPServer):
    """EC2 on loopback, until closed."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, ec2: Ec2, moto: str) -> None:
        handler = type("_Own", (_Exchange,), {"ec2": ec2, "moto": moto})
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients are killed here."""

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
