"""Which flags the all-in-one gives to each component: the same ones a person would type.

So the all-in-one can do nothing that separate processes cannot, and a component has one way in.
"""

import argparse
import importlib
from dataclasses import dataclass
from typing import NoReturn

from control_plane.pki.cluster import FRONT_PROXY, ClusterPki
from tapir.refusal import Refusal, refusals_of
from tapir.up.addresses import IPAddress
from tapir.up.config import EXTRA_FLAGS, ConfigError, UpConfig

PACKAGES = {
    "apiserver": "control_plane.apiserver",
    "scheduler": "control_plane.scheduler",
    "controller-manager": "control_plane.controllers",
    "kubelet": "node.kubelet",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What the flags depend on: settings, files, address and the store's client URLs."""

    config: UpConfig
    pki: ClusterPki
    address: IPAddress
    store: str


def component_flags(place: Place) -> dict[str, list[str]]:
    """Return each component's command line, in the order in which they start."""
    flags = {
        "apiserver": _apiserver(place),
        "scheduler": _single(place, "scheduler"),
        "controller-manager": [
            *_single(place, "controller-manager"),
            *_signing(place),
            f"--service-account-private-key-file={place.pki.service_account_key}",
        ],
        "kubelet": _kubelet(place),
    }
    extra = place.config.extra_flags
    return {name: [*own, *extra.get(name, ())] for name, own in flags.items()}


def check_extra_flags(config: UpConfig) -> None:
    """Raise ConfigError for a flag that its component does not have, or cannot read."""
    for name, flags in config.extra_flags.items():
        if flags:
            parser = _Parser(prog=EXTRA_FLAGS[name], allow_abbrev=False)
            importlib.import_module(f"{PACKAGES[name]}.config").add_flags(parser)
            for action in parser._actions:
                action.required = False  # `tapir up` gives those itself
            parser.parse_args(flags)


async def run_component(name: str, flags: list[str]) -> None:
    """Run the component `name` until it is cancelled; raise ConfigError for what it cannot use."""
    config = importlib.import_module(f"{PACKAGES[name]}.config")
    server = importlib.import_module(f"{PACKAGES[name]}.server")
    parser = _Parser(prog=name)
    config.add_flags(parser)
    try:
        with refusals_of(PACKAGES[name]):
            await server.run(config.from_args(parser.parse_args(flags)))
    except Refusal as error:
        raise ConfigError(f"{name}: {error}") from error


class _Parser(argparse.ArgumentParser):
    """Tells of flags that cannot be used as components do, and leaves the exit to others."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(f"{self.prog}: {message}")


def _apiserver(place: Place) -> list[str]:
    pki, serving, kubelet = place.pki, place.pki.pair("apiserver"), "apiserver-kubelet-client"
    config = place.config
    authority = pki.pair("ca").certificate
    return [
        f"--etcd-servers={place.store}",
        f"--etcd-cafile={config.etcd_cafile}",
        f"--etcd-certfile={config.etcd_certfile}",
        f"--etcd-keyfile={config.etcd_keyfile}",
        f"--bind-address={config.bind_address}",
        f"--secure-port={config.secure_port}",
        f"--advertise-address={place.address}",
        f"--client-ca-file={authority}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--service-account-key-file={pki.service_account_public_key}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        "--authorization-mode=Node,RBAC",
        "--enable-bootstrap-token-auth=true",
        f"--kubelet-certificate-authority={authority}",
        f"--kubelet-client-certificate={pki.pair(kubelet).certificate}",
        f"--kubelet-client-key={pki.pair(kubelet).key}",
        f"--proxy-client-cert-file={pki.front_proxy('client').certificate}",
        f"--proxy-client-key-file={pki.front_proxy('client').key}",
        f"--requestheader-client-ca-file={pki.front_proxy('ca').certificate}",
        f"--requestheader-allowed-names={FRONT_PROXY.user}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-uid-headers=X-Remote-Uid",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    ]


def _single(place: Place, name: str) -> list[str]:
    """The flags of a component that needs no election: this process is the only one of its kind."""
    return [f"--kubeconfig={place.pki.kubeconfig(name)}", "--leader-elect=false"]


def _signing(place: Place) -> list[str]:
    authority = place.pki.pair("ca")
    return [
        f"--cluster-signing-cert-file={authority.certificate}",
        f"--cluster-signing-key-file={authority.key}",
        "--controllers=*,bootstrap-signer-controller,token-cleaner-controller",
    ]


def _kubelet(place: Place) -> list[str]:
    name = f"kubelet-{place.config.node_name}"
    serving = place.pki.pair(name)
    return [
        f"--kubeconfig={place.pki.kubeconfig(name)}",
        f"--hostname-override={place.config.node_name}",
        f"--node-ip={place.address}",
        f"--root-dir={place.config.data_dir / 'kubelet'}",
        f"--port={place.config.kubelet_port}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={place.pki.pair('ca').certificate}",
        f"--container-runtime={place.config.container_runtime}",
        *(
            [f"--docker-endpoint={place.config.docker_endpoint}"]
            * bool(place.config.docker_endpoint)
        ),
    ]
