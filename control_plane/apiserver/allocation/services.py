"""What a service's spec needs of cluster IPs and node ports, claimed and written into it."""

from collections.abc import Awaitable, Callable

from control_plane.api.errors import ApiError, FieldError, Invalid
from control_plane.api.field_error import invalid
from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.preparation import service_rules as rules
from control_plane.api.resources import SERVICES
from control_plane.api.validation.service_addresses import validate_addresses
from control_plane.apiserver.allocation.claims import Claims
from control_plane.apiserver.allocation.cluster_ips import ClusterIPs, Owner
from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.allocation.node_ports import NodePorts


class ServiceAllocation:
    """Allocates for services; every claim goes into the given Claims."""

    def __init__(self, addresses: ClusterIPs, ports: NodePorts) -> None:
        """Use these two ranges."""
        self._addresses = addresses
        self._ports = ports

    async def allocate(self, service: Object, old: Object | None, claims: Claims) -> None:
        """Claim what `service` needs beyond what `old` has; raises Invalid or a 500."""
        try:
            await self._addresses_for(service, old, claims)
            await self._ports_for(service, old, claims)
            await self._health_check_port_for(service, old, claims)
        except RangeFullError as error:
            raise ApiError(str(error), reason="InternalError") from error

    async def release(self, service: Object) -> None:
        """Give back everything a deleted service had."""
        spec, owner = service.get("spec") or {}, _owner(service)
        for address in _addresses(spec):
            await self._addresses.release(address, owner)
        for port in node_ports_of(spec):
            await self._ports.release(port)

    async def _addresses_for(self, service: Object, old: Object | None, claims: Claims) -> None:
        spec, owner = service["spec"], _owner(service)
        held = _addresses((old or {}).get("spec") or {})
        if rules.needs_cluster_ip(spec):
            if not held:
                _check_together(service)
            self._complete_families(service)
            if rules.is_headless(spec):
                spec["clusterIPs"] = [rules.HEADLESS]
            elif not held:
                await self._claim_address(service, owner, claims)
        for address in held - _addresses(spec):
            claims.ended(_call(self._addresses.release, address, owner))

    def _complete_families(self, service: Object) -> None:
        spec, family = service["spec"], self._addresses.family
        rules.complete_ip_families(spec, (family,))
        if rules.is_headless(spec):
            return
        if spec.get("ipFamilyPolicy") == "RequireDualStack":
            raise _invalid(
                service,
                invalid(
                    "spec.ipFamilyPolicy",
                    "RequireDualStack",
                    "this cluster is not configured for dual-stack services",
                ),
            )
        for index, wanted in enumerate(spec.get("ipFamilies") or []):
            if wanted != family:
                field = f"spec.ipFamilies[{index}]"
                raise _invalid(service, invalid(field, wanted, "not configured on this cluster"))

    async def _claim_address(self, service: Object, owner: Owner, claims: Claims) -> None:
        spec = service["spec"]
        wanted = spec.get("clusterIP")
        if not wanted:
            wanted = await self._addresses.claim_any(owner)
            claims.made(_call(self._addresses.release, wanted, owner))
        else:
            try:
                is_new = await self._addresses.claim(wanted, owner)
            except (AllocationError, ValueError) as error:
                field = invalid("spec.clusterIPs", spec.get("clusterIPs"), str(error))
                raise _invalid(service, field) from error
            if is_new:
                claims.made(_call(self._addresses.release, wanted, owner))
        spec["clusterIP"], spec["clusterIPs"] = wanted, [wanted]

    async def _ports_for(self, service: Object, old: Object | None, claims: Claims) -> None:
        spec = service["spec"]
        held = rules.node_ports((old or {}).get("spec") or {})
        if rules.needs_node_port(spec):
            claimed = set(held)
            for index, port in enumerate(spec.get("ports") or []):
                await self._port_for(service, index, port, claimed, claims)
        for port in held - rules.node_ports(spec):
            claims.ended(_call(self._ports.release, port))

    async def _port_for(
        self, service: Object, index: int, port: Object, claimed: set[int], claims: Claims
    ) -> None:
        """Claim the node port of one entry; entries that differ only in protocol share it."""
        wanted = port.get("nodePort") or _shared_node_port(service["spec"], index)
        if wanted and wanted in claimed:
            port["nodePort"] = wanted
            return
        if wanted:
            await self._claim_port(service, f"spec.ports[{index}].nodePort", wanted)
        else:
            wanted = await self._ports.claim_any()
        claims.made(_call(self._ports.release, wanted))
        claimed.add(wanted)
        port["nodePort"] = wanted

    async def _health_check_port_for(
        self, service: Object, old: Object | None, claims: Claims
    ) -> None:
        spec = service["spec"]
        held = ((old or {}).get("spec") or {}).get("healthCheckNodePort")
        if not rules.needs_health_check_node_port(spec):
            if held:
                claims.ended(_call(self._ports.release, held))
            return
        wanted = spec.get("healthCheckNodePort")
        if wanted and wanted == held:
            return
        if wanted:
            await self._claim_port(service, "spec.healthCheckNodePort", wanted)
        else:
            wanted = spec["healthCheckNodePort"] = await self._ports.claim_any()
        claims.made(_call(self._ports.release, wanted))

    async def _claim_port(self, service: Object, field: str, port: int) -> None:
        try:
            await self._ports.claim(port)
        except AllocationError as error:
            raise _invalid(service, invalid(field, port, str(error))) from error


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


def node_ports_of(spec: Object) -> set[int]:
    """Every port on the nodes that a service has, its health check port included."""
    ports = rules.node_ports(spec)
    return ports | {spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else ports


def _owner(service: Object) -> Owner:
    return namespace_of(service), name_of(service)


def _check_together(service: Object) -> None:
    """Raise Invalid for address fields that contradict each other, before one overrides another."""
    errors = list(validate_addresses(service["spec"]))
    if errors:
        raise Invalid.of(SERVICES, name_of(service), errors)


def _invalid(service: Object, error: FieldError) -> Invalid:
    return Invalid.of(SERVICES, name_of(service), [error])


def _call(function: Callable[..., Awaitable[None]], *args: object) -> Callable[[], Awaitable[None]]:
    return lambda: function(*args)
