"""The HTTP application: routes, errors and guard put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from media_nommer import __version__
from media_nommer.core.recipes import Recipe
from media_nommer.feederd.api import costs, jobs, others, problems
from media_nommer.feederd.api.bodies import RetryRequest
from media_nommer.feederd.api.guard import Guard
from media_nommer.feederd.service import JobService

#: Requests worked on at once: the store behind them writes one at a time, and each thread
#: of Python takes memory that it never gives back.
THREADS = 8


def create_app(service: JobService, *, loopback: bool = True) -> FastAPI:
    """Return the API before ``service``.

    ``loopback`` says that it listens on this machine alone, and then refuses to be called
    by any name but this machine's (rule 13).
    """
    app = FastAPI(
        title="media-nommer",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these pages load scripts from another site
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.service = service
    app.include_router(jobs.router)
    app.include_router(costs.router)
    app.include_router(others.router)
    problems.install(app)
    app.add_middleware(Guard, loopback=loopback)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the API's description, the bodies that we read ourselves included."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        known = schema["components"]["schemas"]
        for model in (Recipe, RetryRequest):
            own = model.model_json_schema(ref_template="#/components/schemas/{model}")
            known |= own.pop("$defs", {})
            known[model.__name__] = own
        app.openapi_schema = schema
    return app.openapi_schema
