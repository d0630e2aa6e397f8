"""The routes for what is not a job: nodes, the fleet, presets, the schema, health."""

import json
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse, Response

from media_nommer.core.recipes.schema import recipe_schema
from media_nommer.feederd.api.jobs import Service, answer
from media_nommer.feederd.api.problems import described
from media_nommer.feederd.views import (
    FleetDecision,
    Health,
    NodeList,
    NodeLogView,
    NodeView,
    PresetList,
    PresetView,
)

router = APIRouter()

_SCHEMA = "application/schema+json"


@router.get("/v1/nodes", tags=["fleet"], response_model=NodeList, responses=described(503))
def nodes(service: Service, gone: bool = False) -> Response:
    """List the nodes, the oldest first; with `gone`, those that ended lately too."""
    found = service.nodes(gone=gone)
    return answer(NodeList(nodes=tuple(map(NodeView.of, found))))


@router.get(
    "/v1/nodes/{node_id}/log",
    tags=["fleet"],
    response_model=NodeLogView,
    responses={200: {"content": {"text/plain": {}}}, **described(404, 503)},
)
def node_log(
    node_id: str, service: Service, accept: Annotated[str, Header()] = "application/json"
) -> Response:
    """Return the log of a node on EC2, as JSON, or as text where that is asked for."""
    text = service.node_log(node_id)
    if accept.strip().lower().startswith("text/plain"):
        return PlainTextResponse(text)
    return answer(NodeLogView(node=node_id, log=text))


@router.get("/v1/fleet", tags=["fleet"], response_model=FleetDecision)
def fleet(service: Service) -> Response:
    """Tell what this feederd last decided on its fleet, null where another one decides."""
    return answer(FleetDecision.of(service.decided()))


@router.get("/v1/presets", tags=["presets"], response_model=PresetList)
def presets(service: Service) -> Response:
    """List the presets."""
    views = tuple(map(PresetView.of, service.presets.values()))
    return answer(PresetList(presets=views))


@router.get(
    "/v1/schema",
    tags=["presets"],
    response_class=Response,
    responses={200: {"content": {_SCHEMA: {"schema": {"type": "object"}}}}},
)
def schema(service: Service) -> Response:
    """Return the JSON Schema of the recipes that are submitted."""
    found = recipe_schema(service.presets, submitted=True)
    return Response(json.dumps(found), media_type=_SCHEMA)


@router.get("/healthz", tags=["health"], response_model=Health, responses=described(503))
def healthz(service: Service) -> Response:
    """Tell that feederd, its store and its queue answer."""
    return answer(service.health())
