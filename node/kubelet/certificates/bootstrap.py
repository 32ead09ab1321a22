"""A node's first credentials: what the kubelet does before it can do anything as itself.

With --bootstrap-kubeconfig and no usable --kubeconfig, a client certificate is asked for with the
credentials there (a bootstrap token), and a kubeconfig written that names it. Files that nobody
gave are made: a serving certificate signed by itself, and the CA of clients from the kubeconfig.
Source: kubernetes pkg/kubelet/certificate/bootstrap, v1.35.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import os
from typing import TYPE_CHECKING

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from control_plane.api.errors import ApiError, Unauthorized
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.config import ConfigError as ClientConfigError
from node.kubelet.certificates.certificate_store import CertificateStore
from node.kubelet.certificates.signing_request import (
    NotIssuedError,
    client_certificate,
    issued,
    key_pem,
    new_key,
    subject_of_node,
)
from node.kubelet.config import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from node.kubelet.config import KubeletConfig

RETRY_SECONDS = 5.0
SELF_SIGNED_LIFE = datetime.timedelta(days=365)
AGENT = "kubelet/v1.35.0 (tapir)"

log = logging.getLogger(__name__)


def client_store(config: KubeletConfig) -> CertificateStore:
    """Return where client certificates are kept."""
    return CertificateStore(config.cert_dir, "kubelet-client")


def serving_store(config: KubeletConfig) -> CertificateStore:
    """Return where serving certificates that were asked for are kept."""
    return CertificateStore(config.cert_dir, "kubelet-server")


async def prepare(config: KubeletConfig) -> None:
    """Make what the kubelet needs and nobody gave; raises ConfigError."""
    now = datetime.datetime.now(datetime.UTC)
    if config.bootstrap_kubeconfig is not None and not _is_usable(config, now):
        await _bootstrap(config, config.bootstrap_kubeconfig)
    try:
        if config.makes_serving_certificate:
            _self_sign(config, now)
        if config.makes_client_ca:
            _write_client_ca(config)
    except OSError as error:
        raise ConfigError(f"--cert-dir: {config.cert_dir}: {error.strerror}") from error


def _is_usable(config: KubeletConfig, now: datetime.datetime) -> bool:
    """Whether the kubeconfig has credentials that have not ended."""
    try:
        found = ClientConfig.from_kubeconfig(config.kubeconfig)
        if not found.certificate_pem:
            return bool(found.token)
        certificate = x509.load_pem_x509_certificate(found.certificate_pem)
    except (ClientConfigError, ValueError):
        return False
    return now < certificate.not_valid_after_utc


async def _bootstrap(config: KubeletConfig, path: Path) -> None:
    """Ask for the first certificate, again and again until somebody gives it."""
    try:
        bootstrap = ClientConfig.from_kubeconfig(path)
        bootstrap.ssl_context()
    except ClientConfigError as error:
        raise ConfigError(f"--bootstrap-kubeconfig: {error}") from error
    key, wanted = new_key(), client_certificate(config.node_name)
    log.warning("bootstrap: asking for a client certificate node=%s", config.node_name)
    while True:
        try:
            async with ApiClient(bootstrap, user_agent=AGENT) as client:
                certificate = await issued(client, wanted, key)
            break
        except Unauthorized as error:
            raise ConfigError(
                f"--bootstrap-kubeconfig {path}: the API server does not know its token: "
                "it may have expired; make a new one"
            ) from error
        except NotIssuedError as error:
            raise ConfigError(f"--bootstrap-kubeconfig {path}: {error}") from error
        except (ApiError, OSError) as error:
            log.warning("bootstrap: no certificate yet: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
    store = client_store(config)
    store.replace(certificate, key_pem(key), datetime.datetime.now(datetime.UTC))
    _write_kubeconfig(config, bootstrap, store)


def _write_kubeconfig(
    config: KubeletConfig, bootstrap: ClientConfig, store: CertificateStore
) -> None:
    """Write a kubeconfig for the server of the bootstrap one, with the certificate that renews."""
    ca = config.cert_dir / "ca.crt"
    _write(ca, bootstrap.ca_pem, 0o644)
    cluster = {"server": bootstrap.server, "certificate-authority": str(ca)}
    if bootstrap.tls_server_name:
        cluster["tls-server-name"] = bootstrap.tls_server_name
    pair = {"client-certificate": str(store.current), "client-key": str(store.current)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default-cluster", "cluster": cluster}],
        "users": [{"name": "default-auth", "user": pair}],
        "contexts": [
            {
                "name": "default-context",
                "context": {"cluster": "default-cluster", "user": "default-auth"},
            }
        ],
        "current-context": "default-context",
    }
    _write(config.kubeconfig, yaml.safe_dump(document, sort_keys=False).encode(), 0o600)


def _write_client_ca(config: KubeletConfig) -> None:
    """Believe the clients whom the cluster's authority has signed."""
    try:
        pem = ClientConfig.from_kubeconfig(config.kubeconfig).ca_pem
    except ClientConfigError as error:
        raise ConfigError(str(error)) from error
    if not pem:
        raise ConfigError(
            f"--client-ca-file: not given, and {config.kubeconfig} has no certificate-authority"
        )
    _write(config.client_ca_file, pem, 0o644)


def _self_sign(config: KubeletConfig, now: datetime.datetime) -> None:
    """Make a serving certificate that only says who we are; what is good still is kept."""
    path = config.tls_cert_file
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        if now + SELF_SIGNED_LIFE / 2 < found.not_valid_after_utc:
            return
    except (OSError, ValueError):
        pass
    key, name = new_key(), subject_of_node(config.node_name)
    names: list[x509.GeneralName] = [x509.DNSName(config.node_name)]
    if config.node_ip:
        names.append(x509.IPAddress(ipaddress.ip_address(config.node_ip)))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + SELF_SIGNED_LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(config.tls_private_key_file, key_pem(key), 0o600)
    _write(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)
