"""Rule 10: every error has a code that never changes, and says what to do."""

import pytest

from media_nommer.core import wire
from media_nommer.core.errors import Failure, NommerError, Overtaken

#: code → whether trying again can help. Clients match on these: add, never change.
CODES = {
    "ACCESS_DENIED": False,
    "ALREADY_EXISTS": False,
    "BAD_REQUEST": False,
    "CODEC_MISSING": False,
    "CIPHER_MISSING": False,
    "DATA_DIR_IN_USE": False,
    "EMPTY_SOURCE": False,
    "ENCODE": False,
    "ENCODER_CRASHED": True,
    "ENCODER_LIMIT": False,
    "ENCODER_MISSING": False,
    "ENCODER_STALLED": True,
    "FENCED": True,
    "HANDED_BACK": True,
    "IDEMPOTENCY_CONFLICT": False,
    "ILLEGAL_TRANSITION": False,
    "INTERNAL": False,
    "INVALID_CURSOR": False,
    "INVALID_RECIPE": False,
    "INVALID_SETTING": False,
    "JOB_ARCHIVED": False,
    "JOB_NOT_FOUND": False,
    "JOB_OVER": True,
    "LAUNCH_FAILED": True,
    "LEASE_LOST": True,
    "MEDIA": False,
    "NODE_NOT_FOUND": False,
    "NOMMER_BROKEN": False,
    "NOMMER_FAILED": True,
    "NOMMER_MISSING": False,
    "NOT_FOUND": False,
    "NOT_MEDIA": False,
    "NO_BUCKET": False,
    "NO_CAPACITY": True,
    "NO_SEALING_KEY": False,
    "NO_SPACE": True,
    "NO_STREAMS": False,
    "EXPECTATION_MISSED": False,
    "OTHERS_FAILED": False,
    "OUTPUT_CHANGED": False,
    "OUTPUT_DAMAGED": True,
    "OUTPUT_EXISTS": False,
    "OVERTAKEN": True,
    "PATH_NOT_ALLOWED": False,
    "SERVICE_UNAVAILABLE": True,
    "SOURCE_DAMAGED": False,
    "QUOTA_REACHED": True,
    "READER_TIMEOUT": True,
    "RECLAIMED": True,
    "RECORD_TOO_LARGE": False,
    "SECRETS_GONE": False,
    "SECRET_UNREADABLE": False,
    "SETUP_FAILED": False,
    "SOURCE_NOT_FOUND": False,
    "SOURCE_REFUSED": False,
    "STORAGE_REFUSED": False,
    "STORE_FULL": True,
    "STORAGE": True,
    "TASK_NOT_FOUND": False,
    "TRUNCATED": False,
    "UNKNOWN_PRESET": False,
    "UNKNOWN_VERSION": False,
    "UNSUPPORTED_URL": False,
    "WORK_STOPPED": True,
}

#: What nobody but a person can put right, and where the message alone does not say how.
WITH_ADVICE = {
    *("ACCESS_DENIED", "DATA_DIR_IN_USE", "EMPTY_SOURCE", "ENCODER_LIMIT"),
    *("NOMMER_BROKEN", "NOMMER_FAILED", "NOMMER_MISSING"),
    *("CODEC_MISSING", "ENCODER_MISSING", "JOB_ARCHIVED", "NOT_MEDIA"),
    *("IDEMPOTENCY_CONFLICT", "INVALID_CURSOR", "INVALID_SETTING", "JOB_NOT_FOUND"),
    *("NO_SPACE", "NO_STREAMS", "OUTPUT_CHANGED", "OUTPUT_EXISTS", "PATH_NOT_ALLOWED"),
    *(
        "SOURCE_NOT_FOUND",
        "SOURCE_REFUSED",
        "TRUNCATED",
        "UNKNOWN_PRESET",
        *("UNKNOWN_VERSION", "NO_BUCKET", "RECORD_TOO_LARGE", "STORE_FULL"),
        *("NO_CAPACITY", "QUOTA_REACHED"),
    ),
}


def every_error(base: type[NommerError] = NommerError) -> list[type[NommerError]]:
    assert wire  # its error is one of the tree
    below = [
        c for c in base.__subclasses__() if c.__module__.startswith("media_nommer.core")
    ]
    return [base, *(error for each in below for error in every_error(each))]


def test_rule_10_codes_are_these_and_each_is_of_one_error() -> None:
    errors = every_error()

    assert {error.code: error.retryable for error in errors} == CODES
    assert len({error.code for error in errors}) == len(errors)


def test_rule_10_what_a_person_can_put_right_comes_with_advice() -> None:
    there = {error.code for error in every_error() if error.default_advice}

    assert there >= WITH_ADVICE


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_rule_10_an_error_is_described_and_its_advice_is_a_sentence(
    error: type[NommerError],
) -> None:
    assert error.__doc__
    assert not error.default_advice or error.default_advice.endswith(".")


def test_rule_10_a_failure_keeps_all_that_its_error_says() -> None:
    error = Overtaken("it moved", advice="Look again.", log_tail=["one", "two"])

    assert Failure.of(error) == Failure(
        code="OVERTAKEN",
        message="it moved",
        advice="Look again.",
        retryable=True,
        log_tail=("one", "two"),
    )
