"""What the API server is told, as frozen dataclasses; config.py reads them from flags."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from control_plane.apiserver.admission_configuration.options import AdmissionOptions
from control_plane.apiserver.audit.options import AuditOptions
from control_plane.apiserver.auth.account_options import ServiceAccountKeys
from control_plane.apiserver.auth.config import AuthConfig
from control_plane.apiserver.encryption.options import EncryptionOptions
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.features import Features

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# upstream has Hostname first, which not every machine can resolve
KUBELET_ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")


class StartError(Exception):
    """The server cannot start as configured, for example because its port is in use."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificates the server shows and trusts. `kubelet_*` are for its calls to kubelets.

    `proxy_client_*` are what it shows to the servers of aggregated APIs, which believe it about
    who asks.
    """

    client_ca: Path
    certificate: Path
    private_key: Path
    kubelet_ca: Path | None = None
    kubelet_client_certificate: Path | None = None
    kubelet_client_key: Path | None = None
    proxy_client_certificate: Path | None = None
    proxy_client_key: Path | None = None


@dataclass(frozen=True, slots=True)
class ApiServerConfig:
    """Everything the API server is told.

    Port 0 binds any free port. `event_ttl_seconds` is how long an Event lives. The two limits of
    requests together are the seats that priority and fairness shares out.
    """

    etcd: EtcdEndpoints
    tls: TlsFiles
    service_accounts: ServiceAccountKeys
    auth: AuthConfig = field(default_factory=AuthConfig)
    etcd_prefix: str = "/registry"
    bind_address: str = "0.0.0.0"
    secure_port: int = 6443
    advertise_address: str = ""
    service_cluster_ip_range: str = "10.96.0.0/16"
    service_node_port_range: tuple[int, int] = (30000, 32767)
    event_ttl_seconds: int = 3600
    compaction_interval_seconds: float = 300.0
    max_requests_inflight: int = 400
    max_mutating_requests_inflight: int = 200
    enable_priority_and_fairness: bool = True
    kubelet_address_types: tuple[str, ...] = KUBELET_ADDRESS_TYPES
    encryption: EncryptionOptions | None = None
    audit: AuditOptions | None = None
    admission: AdmissionOptions = field(default_factory=AdmissionOptions)
    features: Features = field(default_factory=Features)

    @property
    def service_networks(self) -> tuple[IPNetwork, ...]:
        """The ranges of cluster IPs: one, or one of each family, the default one first."""
        texts = self.service_cluster_ip_range.split(",")
        return tuple(ipaddress.ip_network(text.strip()) for text in texts)
