"""The clients of Amazon's services, where the part that speaks to them is installed."""

from typing import TYPE_CHECKING

from media_nommer.core.errors import InvalidSetting

if TYPE_CHECKING:
    from media_nommer.adapters.aws.clients import AwsClients


def aws_clients(region: str | None) -> "AwsClients":
    """Return the clients of Amazon's services in a region, None for boto3's own choice.

    Raises:
        InvalidSetting: the part that speaks to them is not installed.
    """
    try:
        from media_nommer.adapters.aws.clients import AwsClients
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            "Amazon's services need a part that is not installed",
            advice="pip install 'media-nommer[aws]'",
        ) from error
    return AwsClients(region)
