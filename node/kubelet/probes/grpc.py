"""grpc: success is that grpc.health.v1.Health answers SERVING."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from node.kubelet.probes.base import USER_AGENT, Outcome, ProbeTarget

_OPTIONS = (("grpc.primary_user_agent", USER_AGENT), ("grpc.enable_http_proxy", 0))


async def grpc_probe(target: ProbeTarget) -> Outcome:
    """Call Check once, in plain text."""
    host = f"[{target.address}]" if ":" in target.address else target.address
    address = f"{host}:{int(target.action['port'])}"
    request = health_pb2.HealthCheckRequest(service=target.action.get("service") or "")
    seconds = target.timeout_seconds
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            return Outcome(False, _explain(error, address, seconds))
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return Outcome(True, "service healthy")
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return Outcome(False, f'service unhealthy (responded with "{name}")')


def _explain(error: grpc.aio.AioRpcError, address: str, seconds: float) -> str:
    code, details = error.code(), error.details()
    if code == grpc.StatusCode.UNIMPLEMENTED:
        return (
            "error: this server does not implement the grpc health protocol "
            f"(grpc.health.v1.Health): {details}"
        )
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"timeout: health rpc did not complete within {seconds:g}s"
    if code == grpc.StatusCode.UNAVAILABLE:
        return f'error: failed to connect service at "{address}": {details}'
    return f"error: health rpc probe failed: {details}"
