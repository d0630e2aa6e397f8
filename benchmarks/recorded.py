"""Runs a daemon whose calls of Amazon's services are written down, with who makes each.

``python -m benchmarks.recorded FILE feederd`` is feederd as ever; what its HTTP sessions
send and get goes to ``FILE``, a line of JSON each. A retry is a call of its own, as it is
on the bill. Who makes a call is told by the name of its thread.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from botocore.httpsession import URLLib3Session
from tests.faults.calls import named

_DAEMONS = frozenset({"feederd", "ec2nommerd"})
#: Services whose requests and answers are small, and say what they are billed by.
_KEPT = frozenset({"dynamodb", "simpledb", "sqs"})


def main() -> int:
    """Run the daemon that is named, with the arguments after it."""
    _, path, daemon, *rest = sys.argv
    sys.argv = [daemon, *rest]
    if daemon not in _DAEMONS:
        sys.exit(f"there is no daemon {daemon}")
    run: Callable[[], int] = import_module(f"media_nommer.daemons.{daemon}").main
    with Path(path).open("a", buffering=1) as file:
        _record(file)
        return run()


def _record(file: TextIO) -> None:
    plain: Callable[[Any, Any], Any] = URLLib3Session.send
    lock = threading.Lock()

    def send(session: Any, request: Any) -> Any:
        line = _asked(request)
        try:
            answer = plain(session, request)
        except Exception:
            line["status"] = 0
            raise
        else:
            line["status"] = answer.status_code
            if line["service"] in _KEPT:
                line["answer"] = answer.content.decode()
            return answer
        finally:
            with lock:
                file.write(json.dumps(line) + "\n")

    URLLib3Session.send = send  # type: ignore[method-assign, assignment]


def _asked(request: Any) -> dict[str, object]:
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    small = isinstance(request.body, (bytes, str)) and len(request.body) < 1 << 20
    body = _text(request.body) if small else ""
    form = body if "x-www-form-urlencoded" in headers.get("content-type", "") else ""
    url = urlsplit(request.url)
    path = f"{url.path}?{url.query}"
    # SimpleDB's old signatures alone do not name the service.
    service, operation = named(
        "simpledb", request.method, path, headers, form.encode("latin-1")
    )
    return {
        "at": time.time(),
        "thread": threading.current_thread().name,
        "service": service,
        "operation": operation,
        "request": body if service in _KEPT else "",
        "answer": "",
    }


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    sys.exit(main())
