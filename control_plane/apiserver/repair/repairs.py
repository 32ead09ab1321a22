"""Runs the repairs of one API server: soon after a change of addresses, and every three minutes.

What the caches show is only a suspicion, because one may be ahead of another: before anything is
told or done, the objects concerned are read from the store and judged again. Every act is
conditional on what was read. Each server remembers what it has told, and tells it once.
"""

import asyncio
import datetime
import logging
from collections.abc import Callable, Iterable

import orjson

from control_plane.api.errors import AlreadyExists, ApiError, Conflict, NotFound
from control_plane.api.objects import Object, resource_version_of, uid_of
from control_plane.api.resources import IPADDRESSES, SERVICECIDRS, SERVICES, Resource
from control_plane.api.timestamps import format_time
from control_plane.apiserver.allocation.address_range import AddressRange, address_ranges
from control_plane.apiserver.allocation.cluster_ips import new_address, owner_of
from control_plane.apiserver.allocation.node_ports import NodePorts
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.repair import addresses, ports
from control_plane.apiserver.repair.event_sink import RegistryEvents
from control_plane.apiserver.repair.finding import Finding, Remedy
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import EVERYTHING
from control_plane.client.events import EventRecorder

ROUND_SECONDS = 180.0
RETRY_SECONDS = 1.0
# after a change of an address; and so that rounds take a twentieth of the time at most
PAUSE_SECONDS, PAUSE_SHARE = 1.0, 20.0
DECODED_AT_ONCE = 64
MOST_REMEMBERED = 4096

logger = logging.getLogger(__name__)


class Repairs:
    """`done` is set after the first round."""

    def __init__(
        self,
        collections: Collections,
        registry: Registry,
        node_ports: NodePorts,
        clock: Callable[[], datetime.datetime],
        call: Call,
    ) -> None:
        """`call` is who the repairs are done as."""
        self.done = asyncio.Event()
        self._collections = collections
        self._registry = registry
        self._ports = node_ports
        self._clock = clock
        self._call = call
        self._leaks: dict[int, int] = {}
        self._told: dict[tuple[str, str, str], None] = {}
        events = RegistryEvents(registry)
        self._address_events = EventRecorder(events, "ipallocator-repair-controller")
        self._port_events = EventRecorder(events, "portallocator-repair-controller")

    async def run(self) -> None:
        """Repair for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._address_events.run(), name="events of address repair")
            group.create_task(self._port_events.run(), name="events of port repair")
            group.create_task(self._run_addresses(), name="address repair")
            group.create_task(self._run_ports(), name="port repair")

    async def _run_addresses(self) -> None:
        loop = asyncio.get_running_loop()
        cache = self._collections.of(IPADDRESSES).cache
        while True:
            started, watcher = loop.time(), cache.watch_state(EVERYTHING, with_objects=False)
            try:
                again = await self.repair_addresses()
                self.done.set()
                await asyncio.sleep(max(PAUSE_SECONDS, (loop.time() - started) * PAUSE_SHARE))
                # what changed since the round began is there at once
                await watcher.take(again)
            except (StoreError, ApiError) as error:
                logger.info("address repair waits: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # an object that cannot be judged ends no server
                logger.exception("address repair failed")
                self.done.set()
                await asyncio.sleep(ROUND_SECONDS)
            finally:
                cache.unwatch(watcher)

    async def _run_ports(self) -> None:
        while True:
            try:
                await self.repair_ports()
            except (StoreError, ApiError) as error:
                logger.info("port repair waits: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # as above
                logger.exception("port repair failed")
                await asyncio.sleep(ROUND_SECONDS)
            else:
                await asyncio.sleep(ROUND_SECONDS)

    async def repair_addresses(self) -> float:
        """Judge every service and every address, and mend what is wrong.

        Returns after how many seconds it is time again, if nothing changes.
        """
        services = {
            (one["metadata"].get("namespace", ""), one["metadata"]["name"]): one
            for one in await self._cached(SERVICES)
        }
        objects = {one["metadata"]["name"]: one for one in await self._cached(IPADDRESSES)}
        ranges = await self._ranges()
        for suspicion in list(addresses.judge(services, objects, ranges, self._clock())):
            for finding in await self._judge_again(suspicion, ranges):
                self._tell(self._address_events, finding)
                await self._mend(finding)
        left = addresses.grace_left(services, objects, self._clock())
        return min([ROUND_SECONDS, *(seconds + PAUSE_SECONDS for seconds in left)])

    async def _judge_again(
        self, suspicion: Finding, ranges: Iterable[AddressRange]
    ) -> list[Finding]:
        """Judge the objects that a suspicion is about as the store has them now."""
        about = suspicion.about["metadata"]
        names = addresses.addresses_of(suspicion.about) or [about["name"]]
        owners = {(about["namespace"], about["name"])} if about.get("namespace") else set()
        found = {}
        for name in names:
            address = await self._collections.live(IPADDRESSES, "", name)
            if address is not None:
                found[name] = address
                owner = owner_of(address)
                owners |= {owner} if owner is not None else set()
        services = {}
        for owner in owners:
            service = await self._collections.live(SERVICES, *owner)
            if service is not None:
                services[owner] = service
        findings = addresses.judge(services, found, ranges, self._clock())
        return [
            finding
            for finding in findings
            if (finding.reason, uid_of(finding.about))
            == (suspicion.reason, uid_of(suspicion.about))
            and finding.address == suspicion.address
        ]

    async def _mend(self, finding: Finding) -> None:
        """Do what a finding says; that somebody else was faster is as good."""
        try:
            if finding.remedy in (Remedy.REMOVE, Remedy.REPLACE):
                await self._remove(finding.address)
            if finding.owner is not None and finding.remedy is not Remedy.REMOVE:
                now = format_time(self._clock())
                obj = new_address(finding.address, finding.owner, now)
                await self._registry.create(IPADDRESSES, "", obj, self._call)
        except (AlreadyExists, Conflict, NotFound) as error:
            logger.debug("mended by somebody else: %s", error)

    async def _remove(self, name: str) -> None:
        address = await self._collections.live(IPADDRESSES, "", name)
        if address is not None:
            options = DeleteOptions(resource_version=resource_version_of(address))
            await self._registry.delete(IPADDRESSES, "", name, options, self._call)

    async def repair_ports(self) -> None:
        """Rebuild the set of node ports from the services.

        The services are read after the set: who adds one later changes the set, and the draft
        cannot be written.
        """
        async with self._ports.draft() as draft:
            page = await self._collections.of(SERVICES).store.page(EVERYTHING)
            services = [
                {"kind": "Service", "apiVersion": "v1", **orjson.loads(entry.item)}
                for entry in page.entries
            ]
            verdict = ports.judge(services, draft.ports, self._leaks)
            draft.ports.bits = verdict.ports.bits
            if not await self._ports.write(draft):
                logger.info("port repair lost against a write")
                return
        self._leaks = verdict.leaks
        for finding in verdict.findings:
            self._tell(self._port_events, finding)

    def _tell(self, recorder: EventRecorder, finding: Finding) -> None:
        """Record the event of a finding, and log it, the first time."""
        key = (uid_of(finding.about), finding.reason, finding.message)
        if not finding.reason or key in self._told:
            return
        if len(self._told) >= MOST_REMEMBERED:
            self._told.clear()
        self._told[key] = None
        logger.warning("repair reason=%s: %s", finding.reason, finding.message)
        action = "IPAddressAllocation" if finding.reason.startswith("IPAddress") else ""
        if finding.reason.startswith("ClusterIP"):
            is_invalid = finding.reason == "ClusterIPNotValid"
            action = "ClusterIPValidation" if is_invalid else "ClusterIPAllocation"
        recorder.record(finding.about, "Warning", finding.reason, finding.message, action=action)

    async def _ranges(self) -> list[AddressRange]:
        return address_ranges(await self._cached(SERVICECIDRS), only_ready=False)

    async def _cached(self, resource: Resource) -> list[Object]:
        """The objects of a type as the cache has them, decoded a few at a time."""
        cache = self._collections.of(resource).cache
        found = []
        for index, entry in enumerate(cache.select()):
            if index % DECODED_AT_ONCE == DECODED_AT_ONCE - 1:
                await asyncio.sleep(0)
            found.append(orjson.loads(cache.codec.whole(entry.item)))
        return found
