"""The routes for what is not a job: nodes, presets, health."""

from fastapi import APIRouter
from fastapi.responses import Response

from media_nommer.feederd.api.jobs import Service, answer
from media_nommer.feederd.api.problems import described
from media_nommer.feederd.views import Health, NodeList, NodeView, PresetList, PresetView

router = APIRouter()


@router.get("/v1/nodes", tags=["fleet"], response_model=NodeList, responses=described(503))
def nodes(service: Service) -> Response:
    """List the nodes that are not gone, the oldest first."""
    return answer(NodeList(nodes=tuple(map(NodeView.of, service.nodes()))))


@router.get("/v1/presets", tags=["presets"], response_model=PresetList)
def presets(service: Service) -> Response:
    """List the presets."""
    views = tuple(map(PresetView.of, service.presets.values()))
    return answer(PresetList(presets=views))


@router.get("/healthz", tags=["health"], response_model=Health, responses=described(503))
def healthz(service: Service) -> Response:
    """Tell that feederd, its store and its queue answer."""
    return answer(service.health())
