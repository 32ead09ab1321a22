"""Leader election over a real HTTP server with optimistic locking."""

import asyncio
from contextlib import suppress

import pytest
from aiohttp import web

from control_plane.client.client import ApiClient
from control_plane.client.leader_election import LeaderElector, LeadershipLost
from tests.control_plane.client.hand_clock import HandClock, RestlessClock
from tests.control_plane.client.list_watch_server import ObjectServer, serving

PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/lock"


@pytest.fixture
def server() -> ObjectServer:
    return ObjectServer()


class Term:
    """What a leader does: note that it leads, until told to stop."""

    def __init__(self) -> None:
        self.leading = asyncio.Event()
        self.over = asyncio.Event()

    async def lead(self) -> None:
        self.leading.set()
        await self.over.wait()


def elector(client: ApiClient, identity: str, clock: HandClock) -> LeaderElector:
    return LeaderElector(client, "lock", identity, clock=clock)


async def test_free_lease_is_taken_and_given_up_at_the_end(server: ObjectServer) -> None:
    term = Term()
    async with serving(server) as client:
        running = asyncio.ensure_future(elector(client, "a", HandClock()).run(term.lead))
        await term.leading.wait()
        held = server.stored[PATH]["spec"]
        term.over.set()
        await running

    assert held["holderIdentity"] == "a"
    assert held["leaseDurationSeconds"] == 15
    assert server.stored[PATH]["spec"]["holderIdentity"] == ""


async def test_second_candidate_waits_until_the_first_gives_up(server: ObjectServer) -> None:
    first, second, clock = Term(), Term(), HandClock()
    async with serving(server) as client:
        one = asyncio.ensure_future(elector(client, "a", clock).run(first.lead))
        await first.leading.wait()
        two = asyncio.ensure_future(elector(client, "b", RestlessClock()).run(second.lead))
        first.over.set()
        await one
        await second.leading.wait()

        spec = server.stored[PATH]["spec"]
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("b", 1)
        second.over.set()
        await two


async def test_lease_that_is_not_renewed_is_taken_over(server: ObjectServer) -> None:
    term, clock = Term(), RestlessClock()
    async with serving(server) as client:
        dead = elector(client, "dead", HandClock())
        assert await dead._try_to_hold()

        running = asyncio.ensure_future(elector(client, "b", clock).run(term.lead))
        await term.leading.wait()

        assert clock.monotonic() >= 15.0
        assert server.stored[PATH]["spec"]["holderIdentity"] == "b"
        term.over.set()
        await running


async def test_leader_whose_lease_was_taken_stops_leading(server: ObjectServer) -> None:
    term, clock = Term(), RestlessClock()
    stopped = asyncio.Event()

    async def lead() -> None:
        try:
            await term.lead()
        finally:
            stopped.set()

    async with serving(server) as client:
        running = asyncio.ensure_future(elector(client, "a", clock).run(lead))
        await term.leading.wait()
        stolen = dict(server.stored[PATH])
        stolen["spec"] = stolen["spec"] | {"holderIdentity": "thief"}
        server._store(PATH, stolen)

        with pytest.raises(LeadershipLost):
            await running
        assert stopped.is_set()
        assert server.stored[PATH]["spec"]["holderIdentity"] == "thief"


class SlowServer(ObjectServer):
    """Answers renewals so late that the candidate's clock has moved on by `seconds`."""

    def __init__(self, clock: HandClock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    async def handle_object(self, request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            self._clock.advance(self._seconds)
        return await super().handle_object(request)


async def test_a_renewal_counts_from_when_it_was_asked_for() -> None:
    term, clock = Term(), RestlessClock()
    async with serving(SlowServer(clock, seconds=9.0)) as client, asyncio.timeout(30):
        with pytest.raises(LeadershipLost):
            await elector(client, "a", clock).run(term.lead)


async def test_failure_of_the_leader_is_not_swallowed(server: ObjectServer) -> None:
    async def lead() -> None:
        raise ValueError("the work failed")

    async with serving(server) as client:
        with pytest.raises(ValueError, match="the work failed"):
            await elector(client, "a", HandClock()).run(lead)


async def test_cancelled_leader_gives_the_lease_up(server: ObjectServer) -> None:
    term = Term()
    async with serving(server) as client:
        running = asyncio.ensure_future(elector(client, "a", HandClock()).run(term.lead))
        await term.leading.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    assert server.stored[PATH]["spec"]["holderIdentity"] == ""
