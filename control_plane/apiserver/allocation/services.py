"""What a service's spec needs of cluster IPs and node ports, chosen and written into it.

Source: v1.35 service storage (alloc.go).
"""

import contextlib
from collections.abc import AsyncIterator

from control_plane.api.errors import FieldError, InternalError, Invalid
from control_plane.api.field_error import invalid
from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.preparation import service_rules as rules
from control_plane.api.resources import SERVICES
from control_plane.api.validation.service_addresses import validate_addresses
from control_plane.apiserver.allocation.cluster_ips import ClusterIPs, Owner
from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.allocation.families import complete_families, stays_as_it_is
from control_plane.apiserver.allocation.node_ports import NodePorts, PortDraft
from control_plane.apiserver.etcd.model import KeyChange


class ServiceAllocation:
    """Allocates for services; what it yields is written with the service."""

    def __init__(self, addresses: ClusterIPs, ports: NodePorts) -> None:
        """Use these two."""
        self._addresses = addresses
        self._ports = ports

    @contextlib.asynccontextmanager
    async def allocated(
        self, service: Object, old: Object | None
    ) -> AsyncIterator[list[KeyChange]]:
        """Give `service` what it needs beyond what `old` has; raises Invalid or InternalError.

        Yields what to write with it, which takes back what only `old` needed.
        """
        changes = await self._addresses_for(service, old)
        held = ports_of((old or {}).get("spec") or {})
        if _ports_settled(service["spec"], held):
            yield changes
            return
        async with self._ports.draft() as draft:
            _ports_for(service, held, draft)
            _health_check_port_for(service, old, draft)
            for port in held - ports_of(service["spec"]):
                draft.ports.give_back(port)
            yield changes + draft.changes()

    @contextlib.asynccontextmanager
    async def released(self, service: Object) -> AsyncIterator[list[KeyChange]]:
        """Yield what gives back everything that a service has."""
        spec, changes = service.get("spec") or {}, []
        for address in _addresses(spec):
            changes += await self._addresses.release(address, _owner(service))
        if not ports_of(spec):
            yield changes
            return
        async with self._ports.draft() as draft:
            for port in ports_of(spec):
                draft.ports.give_back(port)
            yield changes + draft.changes()

    async def _addresses_for(self, service: Object, old: Object | None) -> list[KeyChange]:
        spec, stored = service["spec"], (old or {}).get("spec")
        held = _addresses(stored or {})
        if stays_as_it_is(spec, stored):
            return []
        changes = []
        if rules.needs_cluster_ip(spec):
            changes = await self._complete(service, stored)
        for address in held - _addresses(spec):
            changes += await self._addresses.release(address, _owner(service))
        return changes

    async def _complete(self, service: Object, stored: Object | None) -> list[KeyChange]:
        """Choose what is missing; addresses that the service has already are not looked at."""
        spec = service["spec"]
        errors = list(validate_addresses(spec))
        errors = errors or complete_families(spec, stored, self._addresses.families)
        if errors:
            raise Invalid.of(SERVICES, name_of(service), errors)
        if rules.is_headless(spec):
            spec["clusterIPs"] = [rules.HEADLESS]
            return []
        changes = []
        addresses = list(spec.get("clusterIPs") or [])
        for index in range(_address_count(stored), len(spec["ipFamilies"])):
            wanted = addresses[index] if index < len(addresses) else ""
            address, change = await self._claim(service, wanted, spec["ipFamilies"][index])
            addresses[index:] = [address]
            changes.append(change)
        if addresses:
            spec["clusterIP"], spec["clusterIPs"] = addresses[0], addresses
        return changes

    async def _claim(self, service: Object, wanted: str, family: str) -> tuple[str, KeyChange]:
        owner = _owner(service)
        if not wanted:
            try:
                return await self._addresses.claim_any(family, owner)
            except RangeFullError as error:
                raise InternalError.of(f"failed to allocate a serviceIP: {error}") from error
        try:
            return wanted, await self._addresses.claim(wanted, owner)
        except (AllocationError, ValueError) as error:
            given = service["spec"].get("clusterIPs")
            detail = f"failed to allocate IP {wanted}: {error}"
            raise _invalid(service, invalid("spec.clusterIPs", given, detail)) from error


def _ports_for(service: Object, held: set[int], draft: PortDraft) -> None:
    """Take the node ports of all entries; those that differ only in protocol share one."""
    spec = service["spec"]
    if not rules.needs_node_port(spec):
        return
    taken = set(held)
    for index, port in enumerate(spec.get("ports") or []):
        wanted = port.get("nodePort") or _shared_node_port(spec, index)
        if not wanted:
            try:
                wanted = draft.take_any()
            except RangeFullError as error:
                raise InternalError.of(f"failed to allocate a nodePort: {error}") from error
        elif wanted not in taken:
            try:
                draft.ports.take(wanted)
            except AllocationError as error:
                field = f"spec.ports[{index}].nodePort"
                raise _invalid(service, invalid(field, wanted, str(error))) from error
        taken.add(wanted)
        port["nodePort"] = wanted


def _health_check_port_for(service: Object, old: Object | None, draft: PortDraft) -> None:
    spec = service["spec"]
    if not rules.needs_health_check_node_port(spec):
        return
    wanted = spec.get("healthCheckNodePort")
    if wanted and wanted == ((old or {}).get("spec") or {}).get("healthCheckNodePort"):
        return
    try:
        if wanted:
            draft.ports.take(wanted)
        else:
            spec["healthCheckNodePort"] = draft.take_any()
    except AllocationError as error:
        text = f"failed to allocate requested HealthCheck NodePort {wanted}: {error}"
        raise InternalError.of(text) from error
    except RangeFullError as error:
        text = f"failed to allocate a HealthCheck NodePort 0: {error}"
        raise InternalError.of(text) from error


def _ports_settled(spec: Object, held: set[int]) -> bool:
    """Whether the service has all the ports that it needs, and no others."""
    if rules.needs_node_port(spec) and not all(
        port.get("nodePort") for port in spec.get("ports") or []
    ):
        return False
    if rules.needs_health_check_node_port(spec) and not spec.get("healthCheckNodePort"):
        return False
    return ports_of(spec) == held


def _shared_node_port(spec: Object, index: int) -> int | None:
    """The node port of an earlier entry with the same port number and another protocol."""
    ports = spec.get("ports") or []
    for earlier in ports[:index]:
        if earlier.get("port") == ports[index].get("port"):
            shared: int | None = earlier.get("nodePort")
            return shared
    return None


def _addresses(spec: Object) -> set[str]:
    found = {spec.get("clusterIP") or "", *(spec.get("clusterIPs") or [])}
    return {address for address in found if address and address != rules.HEADLESS}


def ports_of(spec: Object) -> set[int]:
    """Every port on the nodes that a service has, its health check port included."""
    ports = rules.node_ports(spec)
    return ports | {spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else ports


def _address_count(stored: Object | None) -> int:
    if stored is None or not rules.needs_cluster_ip(stored):
        return 0
    return len(stored.get("clusterIPs") or [])


def _owner(service: Object) -> Owner:
    return namespace_of(service), name_of(service)


def _invalid(service: Object, error: FieldError) -> Invalid:
    return Invalid.of(SERVICES, name_of(service), [error])
