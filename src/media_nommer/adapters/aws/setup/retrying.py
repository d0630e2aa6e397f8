"""Waiting for what IAM has made until the rest of AWS knows of it."""

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from media_nommer.adapters.aws.clients import code_of

Answer = TypeVar("Answer")

_TRIES, _APART = 15, 2.0


def until_known(
    call: Callable[[], Answer], *, pause: Callable[[float], None] = time.sleep
) -> Answer:
    """Return what a call answers, tried again while EC2 does not know its new profile."""
    for _ in range(_TRIES - 1):
        try:
            return call()
        except ClientError as error:
            about_profile = "instance profile" in str(error).lower()
            if code_of(error) != "InvalidParameterValue" or not about_profile:
                raise
        pause(_APART)
    return call()
