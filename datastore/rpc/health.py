"""grpc.health.v1.Health: one server, which serves until it stops. etcd's words for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2

from datastore.errors import NotFound
from datastore.rpc.answering import Edge, Method, Stream, Unary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = "grpc.health.v1.Health"
WHOLE = ""  # the name of the server as a whole
SERVING = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)
UNKNOWN = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)


class UnknownService(NotFound):
    """unknown service"""


async def _check(_: Edge, request: health_pb2.HealthCheckRequest) -> health_pb2.HealthCheckResponse:
    if request.service != WHOLE:
        raise UnknownService
    return SERVING


async def _list(_: Edge, __: health_pb2.HealthListRequest) -> health_pb2.HealthListResponse:
    return health_pb2.HealthListResponse(statuses={WHOLE: SERVING})


async def _watch(edge: Edge, request: health_pb2.HealthCheckRequest) -> AsyncIterator[bytes]:
    """Yield the state, which does not change before the stream ends with the server."""
    state = SERVING if request.service == WHOLE else UNKNOWN
    yield state.SerializeToString()
    await edge.stopping.wait()


METHODS: dict[str, Method] = {
    "Check": Unary(health_pb2.HealthCheckRequest, _check),
    "List": Unary(health_pb2.HealthListRequest, _list),
    "Watch": Stream(health_pb2.HealthCheckRequest, _watch, requests=False),
}
