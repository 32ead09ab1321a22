"""grpc.health.v1.Health."""

import asyncio

import pytest
from grpc_health.v1 import health_pb2 as pb

from tests.contract.client import Client, refusal
from tests.contract.refusals import UNKNOWN_HEALTH_SERVICE

pytestmark = [pytest.mark.every_front, pytest.mark.any_backend]
SERVING = pb.HealthCheckResponse(status=pb.HealthCheckResponse.SERVING)
SERVICE_UNKNOWN = pb.HealthCheckResponse(status=pb.HealthCheckResponse.SERVICE_UNKNOWN)


async def first_of_watch(etcd: Client, service: str) -> pb.HealthCheckResponse:
    """The first message of Health/Watch."""
    call = etcd.health.Watch(pb.HealthCheckRequest(service=service))
    async with asyncio.timeout(60):
        first: pb.HealthCheckResponse = await call.read()
    call.cancel()
    return first


async def test_the_server_as_a_whole_is_serving(etcd: Client) -> None:
    assert await etcd.send(etcd.health.Check, pb.HealthCheckRequest()) == SERVING


async def test_watch_starts_with_serving(etcd: Client) -> None:
    assert await first_of_watch(etcd, "") == SERVING


@pytest.mark.etcd_since("3.6")
async def test_the_list_is_of_the_server_as_a_whole(etcd: Client) -> None:
    listed = await etcd.send(etcd.health.List, pb.HealthListRequest())

    assert dict(listed.statuses) == {"": SERVING}


async def test_an_unknown_service_is_not_found(etcd: Client) -> None:
    check = etcd.send(etcd.health.Check, pb.HealthCheckRequest(service="other"))

    assert await refusal(check) == UNKNOWN_HEALTH_SERVICE


async def test_watch_of_an_unknown_service_says_so(etcd: Client) -> None:
    assert await first_of_watch(etcd, "other") == SERVICE_UNKNOWN
