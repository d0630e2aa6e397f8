"""Errors as answers: one document for all of them, whose ``code`` programs switch on."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from media_nommer.core import errors

log = structlog.get_logger(__name__)

#: The status of each kind of error; the nearest base class counts.
STATUS: dict[type[errors.NommerError], HTTPStatus] = {
    errors.InvalidRecipe: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnknownPreset: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnsupportedUrl: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PathNotAllowed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IdempotencyConflict: HTTPStatus.CONFLICT,
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.AlreadyExists: HTTPStatus.CONFLICT,
    errors.IllegalTransition: HTTPStatus.CONFLICT,
    errors.JobArchived: HTTPStatus.CONFLICT,
    errors.SourceNotFound: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AccessDenied: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoBucket: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StorageRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ServiceUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NommerError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class ProblemDetails(BaseModel):
    """What went wrong, what to do, and whether trying again can help."""

    code: str
    message: str
    advice: str = ""
    retryable: bool = False


class Problem(BaseModel):
    """The answer to a request that was not done."""

    error: ProblemDetails


def problem(
    status: int, code: str, message: str, *, advice: str = "", retryable: bool = False
) -> Response:
    """Return the answer that tells of an error."""
    details = {"code": code, "message": message, "advice": advice, "retryable": retryable}
    headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    body = json.dumps({"error": details}, ensure_ascii=False)
    return Response(body, int(status), headers, "application/json")


def install(app: FastAPI) -> None:
    """Have every error of ``app`` answered by a problem document."""
    app.add_exception_handler(errors.NommerError, _answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the API's description says about the errors of a route."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase}
        for status in statuses
    }


def _answer_ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.NommerError), "it is registered for these"
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return problem(
        status, error.code, error.message, advice=error.advice, retryable=error.retryable
    )


def _answer_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "it is registered for these"
    message = "\n".join(_sentence(fault) for fault in error.errors())
    return problem(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)


def _sentence(fault: dict[str, Any]) -> str:
    where: Sequence[object] = fault["loc"][1:] or fault["loc"]
    return f"{'.'.join(map(str, where))}: {fault['msg']}"


def _answer_http(request: Request, error: Exception) -> Response:
    """Answer for what the framework itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException), "it is registered for these"
    status = HTTPStatus(error.status_code)
    what = f"{request.method} {request.url.path}"
    message = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {request.url.path}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{what} is not something that can be done",
    }.get(status, str(error.detail))
    answer = problem(status, status.name, message)
    answer.headers.update(error.headers or {})
    return answer


def _answer_unexpected(request: Request, error: Exception) -> Response:
    log.error("request_broken", path=request.url.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "INTERNAL",
        "feederd failed in a way that it did not expect",
        advice="Its log has the details; please report it.",
        retryable=True,
    )
