"""Every certificate, key and kubeconfig of one cluster, under its data directory.

    data/kubeconfig                        the administrator's
    data/{scheduler,controller-manager}.kubeconfig, data/kubelet-NODE.kubeconfig
    data/pki/ca.{crt,key}                  signs all the others
    data/pki/apiserver.{crt,key}           what the API server shows
    data/pki/apiserver-kubelet-client.{crt,key}   what it shows to kubelets
    data/pki/front-proxy/ca.{crt,key}      signs the next one, and nothing else
    data/pki/front-proxy/client.{crt,key}  what it shows to servers of aggregated APIs
    data/pki/kubelet-NODE.{crt,key}        the node's, for serving and as a client
    data/pki/sa.{key,pub}                  sign and check service-account tokens

Running `ensure_pki` again changes only what is missing, near its end or for other names.
"""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from control_plane.pki.authority import Authority, Identity, IPAddress, KeyPair, PkiError
from control_plane.pki.files import key_pem, write_file
from control_plane.pki.kubeconfig import server_of, write_kubeconfig

ADMIN = Identity("kubernetes-admin", ("system:masters",))
KUBELET_CLIENT = Identity("kube-apiserver-kubelet-client")
FRONT_PROXY_AUTHORITY = "front-proxy-ca"
FRONT_PROXY = Identity("front-proxy-client")
COMPONENTS = {
    "scheduler": Identity("system:kube-scheduler"),
    "controller-manager": Identity("system:kube-controller-manager"),
}
API_SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True)
class ClusterPki:
    """Where the files of the cluster whose data lie in `data_dir` are."""

    data_dir: Path

    @property
    def directory(self) -> Path:
        """The directory of certificates and keys."""
        return self.data_dir / "pki"

    def pair(self, name: str) -> KeyPair:
        """The certificate and key called `name`, for example `apiserver`."""
        return KeyPair(self.directory / f"{name}.crt", self.directory / f"{name}.key")

    def front_proxy(self, name: str) -> KeyPair:
        """The certificates of front proxies: `ca`, an authority of their own, and `client`."""
        directory = self.directory / "front-proxy"
        return KeyPair(directory / f"{name}.crt", directory / f"{name}.key")

    def kubeconfig(self, name: str = "") -> Path:
        """The kubeconfig of a component, or the administrator's when `name` is empty."""
        return self.data_dir / (f"{name}.kubeconfig" if name else "kubeconfig")

    @property
    def service_account_key(self) -> Path:
        """The private key that signs service-account tokens."""
        return self.directory / "sa.key"

    @property
    def service_account_public_key(self) -> Path:
        """The public key that checks service-account tokens."""
        return self.directory / "sa.pub"


@dataclass(frozen=True, slots=True)
class ClusterNames:
    """What the certificates answer for.

    `server` is the API server's URL in kubeconfig files, `addresses` every IP it is reached at (the
    first service IP among them), `node` the name of the node whose kubelet gets a certificate and
    `node_addresses` the IPs that kubelet serves on.
    """

    server: str
    addresses: tuple[IPAddress, ...]
    node: str
    node_addresses: tuple[IPAddress, ...]


def ensure_pki(data_dir: Path, names: ClusterNames, now: datetime.datetime) -> ClusterPki:
    """Make what the cluster in `data_dir` lacks; raises PkiError when a file there is unusable."""
    pki = ClusterPki(data_dir)
    for directory in (pki.directory, pki.front_proxy("ca").key.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority.open(pki.pair("ca"), now)
    _ensure_service_account_keys(pki)
    proxies = Authority.open(pki.front_proxy("ca"), now, FRONT_PROXY_AUTHORITY)
    proxies.ensure(pki.front_proxy("client"), FRONT_PROXY, now)
    for name, identity in _leaves(names).items():
        authority.ensure(pki.pair(name), identity, now)
    for name in ("", *COMPONENTS, f"kubelet-{names.node}"):
        pair = pki.pair(name or "admin")
        write_kubeconfig(pki.kubeconfig(name), names.server, pki.pair("ca").certificate, pair)
    return pki


def rotate_pki(data_dir: Path, now: datetime.datetime) -> list[str]:
    """Issue every certificate anew but the authorities', and put the new ones into kubeconfig
    files.

    Returns the names of the certificates. The authorities and the key of service-account tokens
    stay: what they have signed stays good. An authority of front proxies that has the name of the
    cluster's, as clusters once got it, is replaced. Raises PkiError when there is no cluster, or a
    file is unusable.
    """
    pki = ClusterPki(data_dir)
    if not pki.pair("ca").certificate.exists():
        raise PkiError(f"{data_dir} has no certificates: give the data directory of a cluster")
    authority = Authority.open(pki.pair("ca"), now)
    names = sorted(path.stem for path in pki.directory.glob("*.crt") if path.stem != "ca")
    for name in names:
        authority.renew(pki.pair(name), now)
        path = pki.kubeconfig("" if name == "admin" else name)
        if path.exists():
            write_kubeconfig(path, server_of(path), pki.pair("ca").certificate, pki.pair(name))
    if pki.front_proxy("client").certificate.exists():  # clusters of before have none
        names += _rotate_front_proxy(pki, authority.name, now)
    return names


def _rotate_front_proxy(pki: ClusterPki, taken: str, now: datetime.datetime) -> list[str]:
    """Issue the front proxy's certificate, by another authority if its own is called `taken`."""
    pair, names = pki.front_proxy("ca"), ["front-proxy/client"]
    proxies = Authority.open(pair, now, FRONT_PROXY_AUTHORITY)
    if proxies.name == taken:
        proxies = Authority.replace(pair, now, FRONT_PROXY_AUTHORITY)
        names.insert(0, "front-proxy/ca")
    proxies.renew(pki.front_proxy("client"), now)
    return names


def _leaves(names: ClusterNames) -> dict[str, Identity]:
    loopback = ipaddress.ip_address("127.0.0.1")
    node_addresses = tuple(dict.fromkeys((*names.node_addresses, loopback)))
    return {
        "apiserver": Identity(
            "kube-apiserver",
            dns_names=API_SERVER_NAMES,
            addresses=tuple(dict.fromkeys((loopback, *names.addresses))),
        ),
        "apiserver-kubelet-client": KUBELET_CLIENT,
        "admin": ADMIN,
        **COMPONENTS,
        f"kubelet-{names.node}": Identity(
            f"system:node:{names.node}",
            ("system:nodes",),
            dns_names=(names.node,),
            addresses=node_addresses,
        ),
    }


def _ensure_service_account_keys(pki: ClusterPki) -> None:
    """Make the token-signing pair once; a changed key would void every token handed out."""
    if pki.service_account_key.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_file(pki.service_account_public_key, public, 0o644)
    write_file(pki.service_account_key, key_pem(key), 0o600)
