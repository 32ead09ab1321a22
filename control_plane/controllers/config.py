"""The controller manager's configuration: one dataclass, the flags that fill it, and their checks.

Flag names and defaults are kube-controller-manager's. Used by server.py, and by the controllers'
factories for their numbers.
"""

import argparse
import math
from dataclasses import dataclass, fields
from pathlib import Path

from control_plane.client.flags import boolean, seconds

ALL_CONTROLLERS = ("*",)


class ConfigError(Exception):
    """A configuration that cannot work; the text is one line that names the flag and the remedy."""


@dataclass(frozen=True, slots=True)
class ControllersConfig:
    """What the controller manager is told. Durations in seconds, rates per second.

    `controllers` holds names from the CONTROLLERS table, "*" for all, "-name" for all but that one.
    `root_ca_file` is published in every namespace; None publishes the kubeconfig's own CA.
    """

    kubeconfig: Path
    controllers: tuple[str, ...] = ALL_CONTROLLERS
    leader_elect: bool = True
    leader_elect_lease_duration: float = 15.0
    leader_elect_renew_deadline: float = 10.0
    leader_elect_retry_period: float = 2.0
    use_service_account_credentials: bool = True
    root_ca_file: Path | None = None
    cluster_signing_cert_file: Path | None = None
    cluster_signing_key_file: Path | None = None
    cluster_signing_kubelet_serving_cert_file: Path | None = None
    cluster_signing_kubelet_serving_key_file: Path | None = None
    cluster_signing_kubelet_client_cert_file: Path | None = None
    cluster_signing_kubelet_client_key_file: Path | None = None
    cluster_signing_kube_apiserver_client_cert_file: Path | None = None
    cluster_signing_kube_apiserver_client_key_file: Path | None = None
    cluster_signing_legacy_unknown_cert_file: Path | None = None
    cluster_signing_legacy_unknown_key_file: Path | None = None
    cluster_signing_duration: float = 31_536_000.0
    service_account_private_key_file: Path | None = None
    legacy_service_account_token_clean_up_period: float = 31_536_000.0
    concurrent_deployment_syncs: int = 5
    concurrent_replicaset_syncs: int = 5
    concurrent_rc_syncs: int = 5
    concurrent_endpoint_syncs: int = 5
    concurrent_service_endpoint_syncs: int = 5
    concurrent_namespace_syncs: int = 10
    concurrent_gc_syncs: int = 20
    concurrent_resource_quota_syncs: int = 5
    endpoint_updates_batch_period: float = 0.0
    endpointslice_updates_batch_period: float = 0.0
    max_endpoints_per_slice: int = 100
    resource_quota_sync_period: float = 300.0
    node_monitor_period: float = 5.0
    node_monitor_grace_period: float = 50.0
    node_startup_grace_period: float = 60.0
    node_eviction_rate: float = 0.1
    secondary_node_eviction_rate: float = 0.01
    large_cluster_size_threshold: int = 50
    unhealthy_zone_threshold: float = 0.55
    terminated_pod_gc_threshold: int = 12500


_HELP = {
    "kubeconfig": "kubeconfig file with the API server's address and our credentials",
    "controllers": "comma-separated; * is all but those of bootstrap tokens, -name leaves one out",
    "leader_elect": "hold the Lease kube-system/kube-controller-manager while working",
    "use_service_account_credentials": "each controller acts as a service account of its own",
    "root_ca_file": "CA to publish as ConfigMap kube-root-ca.crt (default: the kubeconfig's)",
    "cluster_signing_cert_file": "authority of approved CertificateSigningRequests",
    "cluster_signing_key_file": "its key",
    "cluster_signing_duration": "the longest that a signed certificate is good, e.g. 8760h",
    "service_account_private_key_file": "signs the tokens of service-account-token secrets",
    "legacy_service_account_token_clean_up_period": (
        "how long a token without an end may be unused, e.g. 8760h"
    ),
    "node_monitor_grace_period": "silence after which a node counts as unreachable, e.g. 50s",
    "terminated_pod_gc_threshold": "ended pods to keep; 0 or less keeps all",
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add one flag for each field of ControllersConfig."""
    for field in fields(ControllersConfig):
        flag = f"--{field.name.replace('_', '-')}"
        text = _HELP.get(field.name, "as kube-controller-manager's")
        if field.name == "kubeconfig":
            parser.add_argument(flag, type=Path, required=True, help=text)
        elif field.name == "controllers":
            parser.add_argument(flag, type=_names, default=ALL_CONTROLLERS, help=text)
        elif field.name.endswith("_file"):
            parser.add_argument(flag, type=Path, default=None, help=text)
        elif isinstance(field.default, bool):
            parser.add_argument(
                flag, nargs="?", type=boolean, const=True, default=field.default, help=text
            )
        elif isinstance(field.default, int):
            parser.add_argument(flag, type=int, default=field.default, help=text)
        else:
            kind = float if field.name in _RATIOS else seconds
            parser.add_argument(flag, type=kind, default=field.default, help=text)


_POSITIVE = (
    "legacy_service_account_token_clean_up_period",
    "node_monitor_period",
    "node_monitor_grace_period",
    "resource_quota_sync_period",
)
_RATIOS = ("node_eviction_rate", "secondary_node_eviction_rate", "unhealthy_zone_threshold")


def from_args(arguments: argparse.Namespace) -> ControllersConfig:
    """Make the configuration from parsed flags; raises ConfigError for values that cannot work."""
    config = ControllersConfig(
        **{field.name: getattr(arguments, field.name) for field in fields(ControllersConfig)}
    )
    check(config)
    return config


def check(config: ControllersConfig) -> None:
    """Raise ConfigError unless the numbers make sense together."""
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name.startswith("concurrent_") and value < 1:
            raise ConfigError(f"--{field.name.replace('_', '-')} is {value}: give at least 1")
        if field.name in _POSITIVE and not 0 < value < math.inf:
            raise ConfigError(f"--{field.name.replace('_', '-')} is {value}: give more than 0")
        if isinstance(value, float) and not 0 <= value < math.inf:
            raise ConfigError(f"--{field.name.replace('_', '-')} is {value}: give 0 or more")
    if not config.controllers:
        raise ConfigError("--controllers is empty: name some, or * for all")
    if config.unhealthy_zone_threshold > 1:
        raise ConfigError("--unhealthy-zone-threshold is a share: give 0 to 1")
    if not 1 <= config.max_endpoints_per_slice <= 1000:
        raise ConfigError("--max-endpoints-per-slice must be between 1 and 1000")
    lease, renew = config.leader_elect_lease_duration, config.leader_elect_renew_deadline
    if not lease > renew > config.leader_elect_retry_period > 0:
        raise ConfigError(
            "--leader-elect-lease-duration must exceed --leader-elect-renew-deadline, "
            "and that --leader-elect-retry-period"
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
