"""TLS contexts: the server's own, which asks for a client certificate, and that for kubelets."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from control_plane.apiserver.auth.certificates import ServerContext
from control_plane.apiserver.config import ConfigError, TlsFiles
from control_plane.client.certificate_files import CertificateFiles


def server_context(files: TlsFiles, proxy_ca: Path | None = None) -> ServerContext:
    """The listening side; a client may show a certificate of the client CA, or none.

    Front proxies show one of `proxy_ca`.
    """
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_COMPRESSION
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_server_files(context, files, proxy_ca)
    if proxy_ca is not None:
        context.num_tickets = 0  # a session that is resumed has no chain to tell the two apart by
        context.options |= ssl.OP_NO_TICKET
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


def load_server_files(context: ServerContext, files: TlsFiles, proxy_ca: Path | None) -> None:
    """Read the certificate, the key and the CAs, at the start or when they have changed."""
    _load_pair(context, files.certificate, files.private_key)
    _load_authority(context, files.client_ca)
    if proxy_ca is not None:
        _load_authority(context, proxy_ca)
        context.users = _authorities(files.client_ca)
        context.proxies = _authorities(proxy_ca)


def _authorities(path: Path) -> frozenset[bytes]:
    found = x509.load_pem_x509_certificates(path.read_bytes())
    return frozenset(one.public_bytes(Encoding.DER) for one in found)


def kubelet_context(files: TlsFiles) -> ssl.SSLContext:
    """The calling side towards kubelets.

    Without a kubelet CA the system's authorities are trusted, which fails closed for kubelets with
    self-signed certificates.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    if files.kubelet_ca is not None:
        _load_authority(context, files.kubelet_ca)
    if files.kubelet_client_certificate is not None and files.kubelet_client_key is not None:
        _load_pair(context, files.kubelet_client_certificate, files.kubelet_client_key)
    return context


def unverified_kubelet_context(files: TlsFiles) -> ssl.SSLContext:
    """The calling side towards kubelets whose certificate is not to be looked at."""
    context = kubelet_context(files)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def kubelet_files(context: ssl.SSLContext, files: TlsFiles) -> Iterator[CertificateFiles]:
    """Follow the certificate that is shown to kubelets, where there is one."""
    certificate, key = files.kubelet_client_certificate, files.kubelet_client_key
    if certificate is not None and key is not None:
        yield CertificateFiles((certificate, key), lambda: _load_pair(context, certificate, key))


def server_files(
    context: ServerContext, files: TlsFiles, proxy_ca: Path | None
) -> CertificateFiles:
    """Follow what the server shows, and the authorities that it believes."""
    own = (files.certificate, files.private_key, files.client_ca)
    followed = own if proxy_ca is None else (*own, proxy_ca)
    return CertificateFiles(followed, lambda: load_server_files(context, files, proxy_ca))


def proxy_files(files: TlsFiles, show: Callable[[], None]) -> Iterator[CertificateFiles]:
    """Follow the certificate for the servers of aggregated APIs, where there is one."""
    certificate, key = files.proxy_client_certificate, files.proxy_client_key
    if certificate is not None and key is not None:
        yield CertificateFiles((certificate, key), show)


def _load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{certificate} and {key} are not a PEM certificate and its key: {error}"
        ) from error


def _load_authority(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{path} is not a PEM file of certificates: {error}") from error
