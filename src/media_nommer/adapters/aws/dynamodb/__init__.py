"""Job, task and node records on Amazon DynamoDB."""

from media_nommer.adapters.aws.dynamodb.setup import create_table
from media_nommer.adapters.aws.dynamodb.store import DynamoStore

__all__ = ["DynamoStore", "create_table"]
