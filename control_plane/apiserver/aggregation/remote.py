"""The group versions behind services, compiled as the watch cache takes their APIServices in."""

import functools
import ssl
from dataclasses import dataclass, replace
from pathlib import Path

from control_plane.api.objects import Object, dig, find_condition, name_of
from control_plane.api.preparation.api_services import AVAILABLE
from control_plane.api.resources import APISERVICES
from control_plane.apiserver.ca_bundle import trusting
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Follower

ProxyPair = tuple[Path, Path]


@dataclass(frozen=True)
class Remote:
    """One group version of another server; `pair` are this server's certificate for it, and key."""

    name: str
    group: str
    version: str
    namespace: str
    service: str
    port: int
    group_priority: int
    version_priority: int
    is_available: bool
    ca_bundle: str
    is_insecure: bool
    pair: ProxyPair | None

    @property
    def path(self) -> str:
        """Where it is served, here and there."""
        return f"/apis/{self.group}/{self.version}"

    @property
    def host(self) -> str:
        """The name in its certificate, which the resolver of services knows."""
        return f"{self.service}.{self.namespace}.svc"

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust and what to show; ValueError for what is no certificate."""
        context = _context(self.ca_bundle, self.is_insecure)
        if self.pair is None:
            return context
        try:
            context.load_cert_chain(*self.pair)
        except OSError as error:  # one of the two files has been replaced so far
            raise ValueError("the front proxy's certificate cannot be used") from error
        return context


def _context(ca_bundle: str, is_insecure: bool) -> ssl.SSLContext:
    context = trusting(ca_bundle)
    if is_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def remote_of(service: Object, pair: ProxyPair | None) -> Remote | None:
    """What an APIService stands for; None for a local one."""
    spec = service.get("spec") or {}
    reference = spec.get("service")
    if reference is None:
        return None
    return Remote(
        name=name_of(service),
        group=spec.get("group") or "",
        version=spec.get("version") or "",
        namespace=reference.get("namespace") or "",
        service=reference.get("name") or "",
        port=reference.get("port") or 443,
        group_priority=spec.get("groupPriorityMinimum") or 0,
        version_priority=spec.get("versionPriority") or 0,
        is_available=dig(find_condition(service, AVAILABLE) or {}, "status") == "True",
        ca_bundle=spec.get("caBundle") or "",
        is_insecure=spec.get("insecureSkipTLSVerify") is True,
        pair=pair,
    )


class RemoteApis:
    """`by_path` has all by their paths, such as /apis/metrics.k8s.io/v1beta1."""

    def __init__(self, collections: Collections, pair: ProxyPair | None) -> None:
        """Follow the APIServices from now on."""
        self.by_path: dict[str, Remote] = {}
        self._pair = pair
        self._paths: dict[str, str] = {}
        collections.observe(APISERVICES, Follower(self._put))

    def _put(self, place: tuple[str, str], service: Object | None) -> None:
        name = place[1]
        remote = remote_of(service, self._pair) if service is not None else None
        known = self.by_path.pop(self._paths.pop(name, ""), None)
        if remote is None or not remote.group:
            return
        if known is not None and known == remote:
            remote = known  # its TLS context is good for its connections
        self._paths[name] = remote.path
        self.by_path[remote.path] = remote

    def use_pair_anew(self) -> None:
        """Show the certificate that is in the files now, on new connections."""
        self.by_path = {path: replace(remote) for path, remote in self.by_path.items()}

    def read(self, service: Object) -> Remote | None:
        """What an APIService stands for, whatever the cache has; None for a local one."""
        return remote_of(service, self._pair)

    def of(self, path: str) -> Remote | None:
        """Whose a URL path is: that of the group version, or one below it."""
        parts = path.split("/", 4)
        if len(parts) < 4 or parts[1] != "apis":
            return None
        return self.by_path.get("/".join(parts[:4]))
