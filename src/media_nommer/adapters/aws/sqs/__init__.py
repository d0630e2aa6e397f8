"""Deliveries on Amazon SQS."""

from media_nommer.adapters.aws.sqs.queue import SqsQueue
from media_nommer.adapters.aws.sqs.queues import create_queues

__all__ = ["SqsQueue", "create_queues"]
