"""The signature that a machine's first request carries is the one that boto3 would make."""

from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.adapters.aws.setup import first_boot

NOW = datetime(2026, 11, 22, 9, 0, 5, tzinfo=UTC)
SEGMENTS = st.text("abcXYZ019-_.~+ %=/é", min_size=1, max_size=30)


def reference(url: str, region: str, credentials: Credentials) -> dict[str, str]:
    """Return the headers that botocore gives the same request."""
    request = AWSRequest(method="GET", url=url, headers={})
    request.context["payload_signing_enabled"] = True
    request.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    signer = S3SigV4Auth(credentials, "s3", region)
    signer._modify_request_before_signing(request)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return dict(request.headers.items())


@pytest.mark.parametrize("token", ["", "a-token/with+signs="])
@pytest.mark.parametrize(
    "url",
    [
        "https://films.s3.eu-central-1.amazonaws.com/work/bundle/abc/bundle.json",
        "http://127.0.0.1:5000/films/work/bundle/wheels/1/a%2Bb-1.0.whl",
        "https://s3.eu-central-1.amazonaws.com/my.films/x",
    ],
)
def test_the_signature_is_the_one_that_botocore_makes(url: str, token: str) -> None:
    keys = {"AccessKeyId": "AKID", "SecretAccessKey": "secret/+", "Token": token}

    made = first_boot.signed(url, "eu-central-1", keys, NOW)

    expected = reference(url, "eu-central-1", Credentials("AKID", "secret/+", token))
    assert made["authorization"] == expected["Authorization"]


@given(SEGMENTS)
def test_whatever_a_key_is_called_its_signature_is_right(key: str) -> None:
    keys = {"AccessKeyId": "AKID", "SecretAccessKey": "secret", "Token": "T"}
    place = first_boot.urllib.parse.quote(f"/{key}", "/-_.~")
    url = f"https://films.s3.eu-west-1.amazonaws.com{place}"

    made = first_boot.signed(url, "eu-west-1", keys, NOW)

    expected = reference(url, "eu-west-1", Credentials("AKID", "secret", "T"))
    assert made["authorization"] == expected["Authorization"]


@pytest.mark.parametrize(
    ("bucket", "region", "settings", "url"),
    [
        ("films", "eu-west-1", {}, "https://films.s3.eu-west-1.amazonaws.com"),
        ("my.films", "eu-west-1", {}, "https://s3.eu-west-1.amazonaws.com/my.films"),
        ("films", "cn-north-1", {}, "https://films.s3.cn-north-1.amazonaws.com.cn"),
        ("films", "x", {"AWS_ENDPOINT_URL": "http://h:1/"}, "http://h:1/films"),
        (
            "films",
            "x",
            {"AWS_ENDPOINT_URL": "http://h:1", "AWS_ENDPOINT_URL_S3": "http://s3:2"},
            "http://s3:2/films",
        ),
    ],
)
def test_a_bucket_is_where_boto3_would_look(
    bucket: str, region: str, settings: dict[str, str], url: str
) -> None:
    assert first_boot.where(bucket, region, settings) == url
