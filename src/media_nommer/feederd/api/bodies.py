"""Reading request bodies: JSON, whole, before any thread is taken."""

import json
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from media_nommer.core.errors import BadRequest


class RetryRequest(BaseModel):
    """What a retry may say: ``whole`` does again also what is in place."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    whole: bool = False


async def json_body(request: Request) -> Any:
    """Return the JSON that a request carries, None where it has no body.

    Raises:
        BadRequest: it is not JSON.
    """
    raw = await request.body()
    if not raw:
        return None
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error


def read_retry(document: object) -> RetryRequest:
    """Return what the body of a retry says; none says nothing.

    Raises:
        BadRequest: it says something else.
    """
    try:
        return RetryRequest.model_validate({} if document is None else document)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the body"
        raise BadRequest(
            f"{place}: {fault['msg']}; allowed: an object with `whole`, true or false"
        ) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
