"""Which client certificates are let in, of those that a trusted authority has signed.

As in etcd: none on the revocation list, by serial number, and one that has one of the allowed host
names or common names, if there are such. Every certificate that a client shows is held against the
list, also that of an authority between it and a trusted one.

`ClientCertificates.refusal` is asked with every call and every HTTP connection; answers are kept
until the revocation list changes.
"""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datastore.tls.options import TlsOptions

log = logging.getLogger(__name__)
VERDICTS = 1024  # kept; with more distinct certificates it begins anew
FAILED = "client certificate authentication failed"


class ClientCertificates:
    """Judges certificate chains by the options; the revocation list is read when it changes."""

    def __init__(self, options: TlsOptions) -> None:
        """Read the revocation list; ConfigError when that cannot be done."""
        self._options = options
        self._stamp: tuple[int, int] | None = None
        self._revoked: frozenset[int] = frozenset()
        self._verdicts: dict[bytes, str] = {}
        if options.crl_file:
            try:
                self._refresh()
            except OSError as error:
                raise ConfigError(
                    f"--client-crl-file {options.crl_file}: {error.strerror}"
                ) from error
            except ValueError as error:
                raise ConfigError(
                    f"--client-crl-file {options.crl_file} is no revocation list, neither PEM nor "
                    f"DER: give the file that the authority has made ({error})"
                ) from error

    async def refusal(self, chain: bytes, host: str) -> str:
        """Return why a client may not come in, or "".

        `chain` is PEM, the client's own certificate first; `host` its IP address for the log, ""
        on a unix socket.
        """
        try:
            self._refresh()
        except (OSError, ValueError) as error:
            return f"{FAILED}: the revocation list cannot be read: {error}"
        if chain not in self._verdicts:
            why = self._judge(chain)
            if why:
                log.warning("rejected client address=%s reason=%s", host or "unix", why)
            if len(self._verdicts) >= VERDICTS:
                self._verdicts.clear()
            self._verdicts[chain] = f"{FAILED}: {why}" if why else ""
        return self._verdicts[chain]

    def _judge(self, chain: bytes) -> str:
        try:
            loaded = x509.load_pem_x509_certificates(chain)
            return refused_by_rule(loaded, self._options, self._revoked)
        except ValueError as error:
            return f"it cannot be read: {error}"

    def _refresh(self) -> None:
        path = self._options.crl_file
        if not path:
            return
        found = os.stat(path)
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._revoked = _serials(Path(path).read_bytes())
            self._stamp = stamp
            self._verdicts.clear()


def refused_by_rule(
    chain: Sequence[x509.Certificate], options: TlsOptions, revoked: frozenset[int]
) -> str:
    """Return what rule a chain breaks; "" for none."""
    for certificate in chain:
        if certificate.serial_number in revoked:
            return f"certificate serial {certificate.serial_number:x} revoked"
    addresses, names = _alternative_names(chain[0])
    if options.allowed_hostnames and not any(
        host in addresses or _matches(host, names) for host in options.allowed_hostnames
    ):
        return "it has none of the allowed host names"
    if options.allowed_cns and _common_name(chain[0]) not in options.allowed_cns:
        return "it has none of the allowed common names"
    return ""


@lru_cache(VERDICTS)
def common_name(chain: bytes) -> str:
    """Return the common name of the first certificate, the last of several as in Go; "" for none.

    Everything that asks for a client's name asks here: as whom he is let in and as whom he acts
    must be one.
    """
    try:
        return _common_name(x509.load_pem_x509_certificate(chain))
    except ValueError:
        return ""


def _serials(content: bytes) -> frozenset[int]:
    load = x509.load_pem_x509_crl if content.startswith(b"-----") else x509.load_der_x509_crl
    return frozenset(entry.serial_number for entry in load(content))


def _common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def _alternative_names(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """Return the (addresses, DNS names) of a certificate."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return addresses, found.get_values_for_type(x509.DNSName)


def _matches(host: str, names: Iterable[str]) -> bool:
    """Say whether one of the names is the host's; `*.x` stands for one label before `.x`."""
    host = host.lower().removesuffix(".")
    _, _, parent = host.partition(".")
    lowered = [name.lower().removesuffix(".") for name in names]
    return host in lowered or (bool(parent) and f"*.{parent}" in lowered)
