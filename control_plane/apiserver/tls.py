"""TLS contexts: the server's own, which asks for a client certificate, and that for kubelets."""

import ssl
from pathlib import Path

from control_plane.apiserver.config import ConfigError, TlsFiles


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """The listening side; a client may show a certificate of the client CA, or none."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_pair(context, files.certificate, files.private_key)
    _load_authority(context, files.client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


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
