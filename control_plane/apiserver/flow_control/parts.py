"""What flow control is made of, put together from a server's configuration."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from prometheus_client.core import Metric

from control_plane.apiserver.config import ApiServerConfig
from control_plane.apiserver.flow_control.dumps import ROOT, Dumps
from control_plane.apiserver.flow_control.flow_control import FlowControl
from control_plane.apiserver.flow_control.follower import FlowControlFollower
from control_plane.apiserver.flow_control.in_flight import InFlightLimit
from control_plane.apiserver.flow_control.limiter import Limiter
from control_plane.apiserver.flow_control.metrics import facts_of, families
from control_plane.apiserver.flow_control.producer import FlowControlProducer
from control_plane.apiserver.http.edge import Handler
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections


@dataclass(frozen=True, slots=True)
class FlowControlParts:
    """The limiter that the edge asks, and the tasks beside it.

    `flow` and `follower` are None when priority and fairness is turned off; its objects are made
    all the same, as upstream does.
    """

    limiter: Limiter
    producer: FlowControlProducer
    flow: FlowControl | None = None
    follower: FlowControlFollower | None = None

    @classmethod
    def of(cls, config: ApiServerConfig, collections: Collections, registry: Registry) -> Self:
        """The parts for a server."""
        producer = FlowControlProducer(collections, registry)
        reads, writes = config.max_requests_inflight, config.max_mutating_requests_inflight
        if not config.enable_priority_and_fairness:
            return cls(InFlightLimit(reads, writes), producer)
        flow = FlowControl(reads + writes)
        follower = FlowControlFollower(collections, registry, flow, producer.changed)
        return cls(flow, producer, flow, follower)

    def hooks(self) -> dict[str, asyncio.Event]:
        """What has to be done before the server is ready, by the names of upstream's hooks."""
        hooks = {"priority-and-fairness-config-producer": self.producer.done}
        if self.follower is not None:
            hooks["priority-and-fairness-config-consumer"] = self.follower.done
            hooks["priority-and-fairness-filter"] = self.follower.done
        return hooks

    def routes(self) -> dict[str, Handler]:
        """The paths of the dumps."""
        return {f"{ROOT}{{name}}": Dumps(self.flow).dump} if self.flow is not None else {}

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        facts = facts_of(self.flow.levels.values()) if self.flow is not None else []
        return lambda: families(facts)

    async def wait_ready(self) -> None:
        """Wait until the first objects are there and in force."""
        for event in self.hooks().values():
            await event.wait()

    async def run(self) -> None:
        """Run the tasks until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.producer.run())
            if self.flow is not None:
                group.create_task(self.flow.run())
            if self.follower is not None:
                group.create_task(self.follower.run())
