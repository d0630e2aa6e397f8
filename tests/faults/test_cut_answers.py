"""Half an answer is none: boto3 would take it for one that says less."""

from collections.abc import Callable

import pytest

from media_nommer.adapters.aws.clients import AwsClients, answering
from media_nommer.core.errors import ServiceUnavailable
from tests.faults.machines import WORKERS, Machines
from tests.faults.seeded import Fault, Harm

CALLS: dict[str, Callable[[AwsClients], object]] = {
    "dynamodb": lambda clients: clients.client("dynamodb").list_tables(),
    "sqs": lambda clients: clients.client("sqs").list_queues(),
    "sdb": lambda clients: clients.client("sdb").list_domains(),
    "s3": lambda clients: clients.client("s3", signature_version="s3v4").list_objects_v2(
        Bucket="clips"
    ),
}


@pytest.mark.parametrize("service", CALLS)
def test_an_answer_that_ends_early_is_no_answer(on_amazon: Machines, service: str) -> None:
    on_amazon.proxy.begin(lambda _call: Harm(Fault.CUT))

    try:
        with pytest.raises(ServiceUnavailable), answering(service):
            CALLS[service](on_amazon.through[WORKERS[0]])
    finally:
        on_amazon.proxy.begin(None)
