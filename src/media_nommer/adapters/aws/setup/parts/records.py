"""Where the records are: a table of DynamoDB, or a domain of SimpleDB."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.dynamodb.setup import create_table
from media_nommer.adapters.aws.setup.parts.part import (
    FINE,
    NOTHING,
    Look,
    Part,
    Standing,
)
from media_nommer.adapters.aws.setup.site import OURS, Site, tag_list
from media_nommer.adapters.aws.simpledb import create_domain

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class TablePart(Part):
    """The table of DynamoDB."""

    kind = "table"
    holds_data = True

    def __init__(self, clients: AwsClients, site: Site, table: str) -> None:
        self._clients = clients
        self._site = site
        self._table = table
        self._dynamodb: DynamoDBClient = clients.client("dynamodb")

    @property
    @override
    def name(self) -> str:
        return self._table

    @override
    def look(self) -> Look:
        found = self._found()
        if found is None:
            return NOTHING
        return FINE if self._is_ours(found) else Look(Standing.NOT_OURS)

    @override
    def make(self) -> None:
        new = self._found() is None
        create_table(self._clients, self._table)
        made = self._found()
        if new and made is not None:
            with answering("dynamodb"):
                self._dynamodb.tag_resource(
                    ResourceArn=made["TableArn"], Tags=tag_list(self._site.tags)
                )

    @override
    def remove(self) -> None:
        found = self._found()
        if found is not None and self._is_ours(found):
            with answering("dynamodb"):
                self._dynamodb.delete_table(TableName=self._table)

    def _found(self) -> Any | None:
        with answering("dynamodb"):
            try:
                return self._dynamodb.describe_table(TableName=self._table)["Table"]
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                return None

    def _is_ours(self, found: Any) -> bool:
        with answering("dynamodb"):
            answer = self._dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"])
        return {"Key": OURS, "Value": self._site.installation} in answer.get("Tags", ())


class DomainPart(Part):
    """The domain of SimpleDB, which has no tags: one by our name is taken for ours."""

    kind = "domain"
    holds_data = True

    def __init__(self, clients: AwsClients, domain: str) -> None:
        self._clients = clients
        self._domain = domain

    @property
    @override
    def name(self) -> str:
        return self._domain

    @override
    def look(self) -> Look:
        with answering("sdb"):
            try:
                self._clients.client("sdb").domain_metadata(DomainName=self._domain)
            except ClientError as error:
                if code_of(error) != "NoSuchDomain":
                    raise
                return NOTHING
        return FINE

    @override
    def make(self) -> None:
        create_domain(self._clients, self._domain)

    @override
    def remove(self) -> None:
        with answering("sdb"):
            self._clients.client("sdb").delete_domain(DomainName=self._domain)
