"""SimpleDB for tests: our own double, as boto3 finds it by its settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.simpledb import create_domain
from media_nommer.testing.simpledb import SimpleDbServer
from tests import aws_services

DOMAIN = "films-1.test"


def settings(server: SimpleDbServer) -> Mapping[str, str]:
    """Return the variables by which boto3 finds a server."""
    usual = aws_services.settings("http://127.0.0.1:9")
    return {**usual, "AWS_ENDPOINT_URL_SIMPLEDB": server.url}


@contextmanager
def serving(server: SimpleDbServer | None = None) -> Iterator[SimpleDbServer]:
    """Run a server."""
    with server or SimpleDbServer() as running:
        yield running


def clients_of() -> AwsClients:
    """Return clients of the server that the settings name, its domain made."""
    clients = AwsClients()
    create_domain(clients, DOMAIN)
    return clients
