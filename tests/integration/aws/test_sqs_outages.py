"""SQS that refuses, throttles, is not there or is being set up by many at once."""

import pytest
from tests.sqs_world import OnSqs, attributes, refusing, url_of

from media_nommer.adapters.aws import clients as shared
from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.sqs import SqsQueue, create_queues
from media_nommer.core.errors import (
    AccessDenied,
    InvalidSetting,
    NommerError,
    ServiceUnavailable,
)
from media_nommer.core.tasks import TaskId
from media_nommer.testing.concurrency import at_once
from media_nommer.testing.samples import MINUTE

TASK = TaskId("job-1.1.encode-000")


class Once(OnSqs):
    """boto3 tries once here; that it tries again is its own business."""

    @pytest.fixture
    def clients(self, aws: str, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
        monkeypatch.setattr(shared, "TRIES", 1)
        return AwsClients()


class TestErrors(Once):
    @pytest.mark.parametrize(
        ("code", "status", "ours"),
        [
            ("RequestThrottled", 400, ServiceUnavailable),
            ("ThrottlingException", 400, ServiceUnavailable),
            ("OverLimit", 403, ServiceUnavailable),
            ("InternalFailure", 500, ServiceUnavailable),
            ("KMS.ThrottlingException", 400, ServiceUnavailable),
            ("KMS.DisabledException", 400, InvalidSetting),
            ("KmsInvalidState", 400, InvalidSetting),
            ("KMS.AccessDeniedException", 400, AccessDenied),
            ("AccessDenied", 403, AccessDenied),
        ],
    )
    def test_an_error_of_sqs_is_told_in_our_words(
        self,
        queue: SqsQueue,
        clients: AwsClients,
        code: str,
        status: int,
        ours: type[NommerError],
    ) -> None:
        queue.depth()
        refusing(clients, code, status=status)

        for call in (
            lambda: queue.put(TASK),
            lambda: queue.take(MINUTE),
            lambda: queue.take(MINUTE, wait=MINUTE),
            queue.depth,
        ):
            with pytest.raises(ours) as caught:
                call()
            assert caught.value.retryable == (ours is ServiceUnavailable)
            assert caught.value.advice or ours is ServiceUnavailable

    def test_a_delivery_outlives_a_time_without_answers(
        self, queue: SqsQueue, clients: AwsClients
    ) -> None:
        queue.put(TASK)
        delivery = queue.take(MINUTE)
        assert delivery is not None
        answer_again = refusing(clients, "RequestThrottled", on="DeleteMessage")
        with pytest.raises(ServiceUnavailable):
            queue.done(delivery)

        answer_again()
        queue.done(delivery)

        assert queue.depth() == 0

    def test_a_server_that_is_not_there_is_unavailable(
        self, clients: AwsClients, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        queue = SqsQueue(AwsClients(), "nowhere")

        for call in (
            lambda: queue.put(TASK),
            lambda: queue.take(MINUTE),
            lambda: queue.take(MINUTE, wait=MINUTE),
            queue.depth,
        ):
            with pytest.raises(ServiceUnavailable):
                call()


class TestQueuesThatAreNotThere(Once):
    @pytest.mark.parametrize("name", ["", "with space", "a/b", "x" * 70, "a.fifo"])
    def test_a_name_that_sqs_does_not_take_is_a_wrong_setting(
        self, clients: AwsClients, name: str
    ) -> None:
        with pytest.raises(InvalidSetting, match="cannot name queues"):
            SqsQueue(clients, name).depth()

    def test_the_longest_name_is_taken(self, clients: AwsClients) -> None:
        assert len(create_queues(clients, "x" * 69)) == 4

    def test_they_are_made_at_the_first_call(self, clients: AwsClients, name: str) -> None:
        SqsQueue(clients, name).put(TASK)

        delivery = SqsQueue(clients, name).take(MINUTE)

        assert delivery is not None
        assert delivery.task_id == TASK

    def test_where_they_are_not_to_be_made_the_error_says_how_to(
        self, clients: AwsClients, name: str
    ) -> None:
        with pytest.raises(InvalidSetting, match=f"{name} are not there") as caught:
            SqsQueue(clients, name, create=False).depth()

        assert "nommer aws up" in caught.value.advice

    def test_where_they_may_not_be_made_the_error_says_how_to(
        self, clients: AwsClients, name: str
    ) -> None:
        refusing(clients, "AccessDenied", status=403, on="CreateQueue")

        with pytest.raises(InvalidSetting, match=f"{name} are not there") as caught:
            SqsQueue(clients, name).put(TASK)

        assert "sqs:CreateQueue" in caught.value.advice

    def test_one_that_was_just_deleted_is_waited_for(
        self, clients: AwsClients, name: str
    ) -> None:
        refusing(clients, "AWS.SimpleQueueService.QueueDeletedRecently", on="CreateQueue")

        with pytest.raises(ServiceUnavailable, match="deleted a moment ago"):
            SqsQueue(clients, name).put(TASK)

    def test_one_that_is_deleted_while_in_use_is_made_again(
        self, queue: SqsQueue, clients: AwsClients, name: str
    ) -> None:
        """Its tasks come back by rule 4."""
        queue.put(TASK)
        clients.client("sqs").delete_queue(QueueUrl=url_of(clients, name, "normal"))

        with pytest.raises(ServiceUnavailable):
            queue.put(TASK)
        queue.put(TASK)

        assert queue.depth() == 1


class TestMakingThem(Once):
    def test_many_at_once_make_the_same_queues(
        self, queue: SqsQueue, clients: AwsClients, name: str
    ) -> None:
        def make_and_put(number: int) -> None:
            SqsQueue(clients, name).put(TaskId(f"job-1.1.{number}"))

        answers = at_once(make_and_put)

        assert answers == [None] * len(answers)
        assert queue.depth() == len(answers)

    def test_making_them_again_changes_nothing(
        self, queue: SqsQueue, clients: AwsClients, name: str
    ) -> None:
        first = create_queues(clients, name, tags={"project": "media-nommer"})
        queue.put(TASK)

        assert create_queues(clients, name) == first
        assert queue.depth() == 1

    def test_what_somebody_has_set_up_in_another_way_stays_so(
        self, clients: AwsClients, name: str
    ) -> None:
        clients.client("sqs").create_queue(
            QueueName=f"{name}-low", Attributes={"MessageRetentionPeriod": "3600"}
        )

        create_queues(clients, name)

        assert attributes(clients, name, "low")["MessageRetentionPeriod"] == "3600"
        assert len(create_queues(clients, name)) == 4
