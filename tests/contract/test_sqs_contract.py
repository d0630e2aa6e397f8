from collections.abc import Callable

import pytest
from tests import sqs_world

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs import SqsQueue, create_queues
from media_nommer.core.tasks import TaskId
from media_nommer.testing.queue_contract import MessageContract, QueueContract


class TestSqsQueue(sqs_world.OnSqs, QueueContract, MessageContract):
    lets_groups_share = False  # Amazon does that, and moto does not

    @pytest.fixture
    def put_raw(
        self, clients: AwsClients, name: str, queue: SqsQueue
    ) -> Callable[[TaskId, int], None]:
        def put(task_id: TaskId, version: int) -> None:
            create_queues(clients, name)
            sqs_world.send_raw(clients, name, sqs_world.of_version(task_id, version))

        return put
