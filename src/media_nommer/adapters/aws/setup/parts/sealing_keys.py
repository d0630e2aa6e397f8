"""The key that seals secrets: a SecureString in SSM's Parameter Store, for free."""

import secrets
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.setup.parts.part import (
    FINE,
    NOTHING,
    Look,
    Part,
    Standing,
)
from media_nommer.adapters.aws.setup.site import OURS, Site, tag_list
from media_nommer.core.ports.sealing_keys import KEY_BYTES

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient
    from types_boto3_ssm.type_defs import TagTypeDef

_DESCRIPTION = "Seals the keys in recipes of media-nommer"
#: AWS's own key for parameters, which costs nothing, and needs no rights of its own.
_UNDER = "alias/aws/ssm"


class SealingKeyPart(Part):
    """The parameter; its value is made here, shown to nobody, and never looked at again."""

    kind = "sealing key"

    def __init__(self, clients: AwsClients, site: Site, parameter: str) -> None:
        self._site = site
        self._parameter = parameter
        self._ssm: SSMClient = clients.client("ssm")

    @property
    @override
    def name(self) -> str:
        return self._parameter

    @override
    def look(self) -> Look:
        tags = self._tags()
        if tags is None:
            return NOTHING
        ours = {"Key": OURS, "Value": self._site.installation} in tags
        return FINE if ours else Look(Standing.NOT_OURS)

    @override
    def make(self) -> None:
        with answering("ssm"):
            try:
                self._ssm.put_parameter(
                    Name=self._parameter,
                    Description=_DESCRIPTION,
                    Value=secrets.token_hex(KEY_BYTES),
                    Type="SecureString",
                    KeyId=_UNDER,
                    Tier="Standard",
                    Tags=tag_list(self._site.tags),
                    Overwrite=False,
                )
            except ClientError as error:
                if code_of(error) != "ParameterAlreadyExists":  # somebody was quicker
                    raise

    @override
    def remove(self) -> None:
        with answering("ssm"):
            try:
                self._ssm.delete_parameter(Name=self._parameter)
            except ClientError as error:
                if code_of(error) != "ParameterNotFound":
                    raise

    def _tags(self) -> "list[TagTypeDef] | None":
        """Return the tags that are there, None where there is nothing to have any."""
        with answering("ssm"):
            try:
                return self._ssm.list_tags_for_resource(
                    ResourceType="Parameter", ResourceId=self._parameter
                )["TagList"]
            except ClientError as error:
                if code_of(error) != "InvalidResourceId":
                    raise
                return None
