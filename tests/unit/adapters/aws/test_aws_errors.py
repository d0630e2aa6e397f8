"""What errors of Amazon's services mean to us."""

import pytest
from botocore.exceptions import ClientError

from media_nommer.adapters.aws.clients import answering
from media_nommer.core.errors import AccessDenied, NommerError, ServiceUnavailable


def refusal(code: str, status: int) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": "said"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "PutObject")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("AccessDenied", 403, AccessDenied),
        ("Whatever", 403, AccessDenied),
        ("RequestTimeTooSkewed", 403, ServiceUnavailable),
        ("SlowDown", 503, ServiceUnavailable),
        ("ThrottlingException", 400, ServiceUnavailable),
        ("Whatever", 502, ServiceUnavailable),
    ],
)
def test_only_what_stays_refused_counts_as_refused(
    code: str, status: int, meaning: type[NommerError]
) -> None:
    with pytest.raises(meaning), answering("s3"):
        raise refusal(code, status)
