"""DynamoDB for tests: moto's, made as careful as Amazon's, and with faults to order."""

import functools
import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb import create_table

_numbers = itertools.count(1)


@dataclass
class Wire:
    """What stands between a client and moto.

    moto checks a condition and writes in two steps, and lets another write between them;
    so calls go one at a time here. The next ``lose`` answers of an operation do not come.
    ``seen`` holds each operation that was sent, with its request and its answer;
    ``on_call`` is asked before each.
    """

    lose: Counter[str] = field(default_factory=Counter)
    seen: list[tuple[str, Any, Any]] = field(default_factory=list)
    on_call: Callable[[str], None] = lambda operation: None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _session: URLLib3Session = field(default_factory=URLLib3Session)

    def carry(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> Any:
        """Send a request as boto3 would, or fail as the network would."""
        operation = event_name.rpartition(".")[2]
        self.on_call(operation)
        with self._lock:
            answer = self._session.send(request)
            asked, said = json.loads(request.body or "{}"), json.loads(answer.content)
            self.seen.append((operation, asked, said))
            if self.lose[operation]:
                self.lose[operation] -= 1
                raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def calls(self, operation: str) -> list[tuple[Any, Any]]:
        """Return the requests and answers of the calls of one operation."""
        return [(asked, said) for name, asked, said in self.seen if name == operation]

    def clear(self) -> None:
        """Forget what was seen, and let everything go well."""
        self.seen.clear()
        self.lose.clear()
        self.on_call = lambda operation: None


@functools.cache
def connected(endpoint: str) -> tuple[AwsClients, Wire]:
    """Return clients of moto at ``endpoint``, which the ``aws`` fixture has set."""
    clients, wire = AwsClients(), Wire()
    clients.client("dynamodb").meta.events.register("before-send.dynamodb", wire.carry)
    return clients, wire


def new_table(clients: AwsClients) -> str:
    """Make an empty table and return its name."""
    name = f"table-{next(_numbers)}"
    create_table(clients, name)
    return name
