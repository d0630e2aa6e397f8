"""What errors of Amazon's services mean to us."""

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

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


def test_what_cannot_be_read_as_an_answer_may_be_better_next_time() -> None:
    with pytest.raises(ServiceUnavailable), answering("sdb"):
        raise ResponseParserError("unclosed token")


@pytest.mark.parametrize(
    ("code", "said", "meaning"),
    [
        ("InvalidSignatureException", "Signature expired: 2026 is now", ServiceUnavailable),
        ("InvalidSignatureException", "Signature not yet current", ServiceUnavailable),
        ("SignatureDoesNotMatch", "The request signature is not ours", AccessDenied),
    ],
)
def test_a_wrong_clock_is_waited_for_and_a_wrong_key_is_not(
    code: str, said: str, meaning: type[NommerError]
) -> None:
    answer = {
        "Error": {"Code": code, "Message": said},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    with pytest.raises(meaning), answering("dynamodb"):
        raise ClientError(answer, "PutItem")  # type: ignore[arg-type]
