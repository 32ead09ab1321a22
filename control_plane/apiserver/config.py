"""The API server's flags, upstream's names.

`add_flags` declares them, `from_args` reads and checks what can be checked without touching the
network: a bad value is a ConfigError of one line that names the flag and the remedy.
"""

import argparse
from pathlib import Path

from control_plane.apiserver.admission_configuration.options import (
    add_admission_flags,
    admission_options,
)
from control_plane.apiserver.audit.options import add_audit_flags, audit_options
from control_plane.apiserver.auth import account_options
from control_plane.apiserver.auth import config as auth_config
from control_plane.apiserver.auth.account_options import ServiceAccountKeys
from control_plane.apiserver.config_checks import checked, without_value_errors
from control_plane.apiserver.config_error import ConfigError
from control_plane.apiserver.encryption.options import add_encryption_flags, encryption_options
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.features import add_feature_flags, features_of
from control_plane.apiserver.settings import (
    KUBELET_ADDRESS_TYPES,
    ApiServerConfig,
    IPNetwork,
    StartError,
    TlsFiles,
)
from control_plane.client.flags import boolean, seconds, whole_seconds

__all__ = [
    "KUBELET_ADDRESS_TYPES", "ApiServerConfig", "ConfigError", "IPNetwork", "ServiceAccountKeys",
    "StartError", "TlsFiles", "add_flags", "checked", "from_args",
]  # fmt: skip


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `tapir apiserver`."""
    add = parser.add_argument
    add("--etcd-servers", required=True, metavar="URL[,URL]", help="http://host:port, unix:///path")
    add("--etcd-cafile", default="", help="CA that signed the store's certificate")
    add("--etcd-certfile", default="", help="client certificate for the store")
    add("--etcd-keyfile", default="", help="its key")
    add("--etcd-prefix", default="/registry", help="start of every key")
    add(
        "--etcd-compaction-interval",
        type=seconds,
        default=300.0,
        metavar="DURATION",
        help="time between compactions of the store (5m)",
    )
    add("--bind-address", default="0.0.0.0", help="address to listen on")
    add("--secure-port", type=int, default=6443, help="port to listen on")
    add("--advertise-address", default="", help="IP at which others reach this server")
    add("--client-ca-file", required=True, help="CA whose client certificates are believed")
    add("--tls-cert-file", required=True, help="certificate to show")
    add("--tls-private-key-file", required=True, help="its key")
    account_options.add_flags(parser)
    add("--kubelet-client-certificate", default="", help="shown to kubelets")
    add("--kubelet-client-key", default="", help="its key")
    add("--kubelet-certificate-authority", default="", help="CA that signed the kubelets'")
    add(
        "--kubelet-preferred-address-types",
        default=",".join(KUBELET_ADDRESS_TYPES),
        metavar="TYPE[,TYPE]",
        help="which of a node's addresses its kubelet is called at, the first that there is",
    )
    add("--proxy-client-cert-file", default="", help="shown to the servers of aggregated APIs")
    add("--proxy-client-key-file", default="", help="its key")
    add(
        "--service-cluster-ip-range",
        default="10.96.0.0/16",
        metavar="CIDR[,CIDR]",
        help="range of service IPs, or one of each family",
    )
    add(
        "--service-node-port-range",
        default="30000-32767",
        metavar="FIRST-LAST",
        help="ports that services of type NodePort get",
    )
    add(
        "--event-ttl",
        type=seconds,
        default=3600.0,
        metavar="DURATION",
        help="how long events are kept (1h)",
    )
    add(
        "--max-requests-inflight",
        type=int,
        default=400,
        metavar="N",
        help="with the next flag: the requests that are served at once",
    )
    add("--max-mutating-requests-inflight", type=int, default=200, metavar="N", help="see above")
    add(
        "--enable-priority-and-fairness",
        nargs="?",
        type=boolean,
        const=True,
        default=True,
        metavar="true|false",
        help="queue requests by FlowSchemas; else reads and writes beyond their limits get 429",
    )
    add_encryption_flags(parser)
    add_audit_flags(parser)
    add_admission_flags(parser)
    add_feature_flags(parser)
    auth_config.add_flags(parser)


def from_args(args: argparse.Namespace) -> ApiServerConfig:
    """Read parsed flags; raises ConfigError."""
    accounts = account_options.from_args(args)
    return checked(
        ApiServerConfig(
            etcd=EtcdEndpoints(
                tuple(url.strip() for url in args.etcd_servers.split(",") if url.strip()),
                args.etcd_cafile,
                args.etcd_certfile,
                args.etcd_keyfile,
            ),
            tls=TlsFiles(
                Path(args.client_ca_file),
                Path(args.tls_cert_file),
                Path(args.tls_private_key_file),
                _optional(args.kubelet_certificate_authority),
                _optional(args.kubelet_client_certificate),
                _optional(args.kubelet_client_key),
                _optional(args.proxy_client_cert_file),
                _optional(args.proxy_client_key_file),
            ),
            service_accounts=accounts,
            auth=auth_config.from_args(args, accounts.issuer),
            etcd_prefix=args.etcd_prefix,
            bind_address=args.bind_address,
            secure_port=args.secure_port,
            advertise_address=args.advertise_address,
            service_cluster_ip_range=args.service_cluster_ip_range,
            service_node_port_range=_port_range(args.service_node_port_range),
            event_ttl_seconds=whole_seconds(args.event_ttl),
            compaction_interval_seconds=args.etcd_compaction_interval,
            max_requests_inflight=args.max_requests_inflight,
            max_mutating_requests_inflight=args.max_mutating_requests_inflight,
            enable_priority_and_fairness=args.enable_priority_and_fairness,
            kubelet_address_types=_address_types(args.kubelet_preferred_address_types),
            encryption=without_value_errors(encryption_options, args),
            audit=without_value_errors(audit_options, args),
            admission=without_value_errors(admission_options, args),
            features=without_value_errors(features_of, args),
        )
    )


def _optional(path: str) -> Path | None:
    return Path(path) if path else None


def _address_types(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if name not in KUBELET_ADDRESS_TYPES]
    if wrong or not names:
        known = ", ".join(KUBELET_ADDRESS_TYPES)
        raise ConfigError(f"--kubelet-preferred-address-types {text!r}: choose from {known}")
    return names


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last) <= 65535):
        raise ConfigError(
            f"--service-node-port-range {text!r}: write FIRST-LAST, as in 30000-32767"
        )
    return int(first), int(last)
