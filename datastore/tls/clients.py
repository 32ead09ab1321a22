"""Which client certificates are let in, of those that a trusted authority has signed.

As in etcd: none on the revocation list, by serial number; one of the allowed names or common names,
if there are such; and when the certificate has names or addresses, the client's own address has to
be one of them (`skip_san_check` waives that).

`ClientCertificates.refusal` is asked with every call and every HTTP connection; answers are kept
until the revocation list changes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datastore.tls.options import TlsOptions

log = logging.getLogger(__name__)
VERDICTS = 1024  # kept; more distinct pairs of client and address begin anew
FAILED = "client certificate authentication failed"


class ClientCertificates:
    """Judges certificate chains by the options; the revocation list is read when it changes."""

    def __init__(self, options: TlsOptions) -> None:
        """Read the revocation list; ConfigError when that cannot be done."""
        self._options = options
        self._stamp: tuple[int, int] | None = None
        self._revoked: frozenset[int] = frozenset()
        self._verdicts: dict[tuple[bytes, str], str] = {}
        if options.crl_file:
            try:
                self._refresh()
            except (OSError, ValueError) as error:
                raise ConfigError(f"--client-crl-file {options.crl_file}: {error}") from error

    async def refusal(self, chain: bytes, host: str) -> str:
        """Return why a client may not come in, or "".

        `chain` is PEM, the client's own certificate first; `host` its IP address, "" on a unix
        socket.
        """
        try:
            self._refresh()
        except (OSError, ValueError) as error:
            return f"{FAILED}: the revocation list cannot be read: {error}"
        key = (chain, host)
        if key not in self._verdicts:
            verdict = await self._judge(x509.load_pem_x509_certificates(chain), host)
            if verdict:
                log.warning("rejected client address=%s reason=%s", host or "unix", verdict)
            if len(self._verdicts) >= VERDICTS:
                self._verdicts.clear()
            self._verdicts[key] = verdict
        return self._verdicts[key]

    async def _judge(self, chain: Sequence[x509.Certificate], host: str) -> str:
        if why := refused_by_rule(chain, self._options, self._revoked):
            return f"{FAILED}: {why}"
        if self._options.skip_san_check or not host:
            return ""
        addresses, names = _alternative_names(chain[0])
        if (not addresses and not names) or host in addresses or await _is_named(host, names):
            return ""
        return f"{FAILED}: {host} is none of the certificate's {[*addresses, *names]}"

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
    """Return what rule a chain breaks, whatever the client's address; "" for none."""
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


async def _is_named(host: str, names: Sequence[str]) -> bool:
    """Say whether DNS gives the address one of the names, in either direction."""
    if not names:
        return False
    loop = asyncio.get_running_loop()
    try:
        reverse, _ = await loop.getnameinfo((host, 0), socket.NI_NAMEREQD)
    except OSError:
        reverse = ""
    wildcards = tuple(name[1:] for name in names if name.startswith("*."))
    if reverse and (reverse in names or reverse.endswith(wildcards)):
        return True
    wanted = ipaddress.ip_address(host)
    for name in names:
        try:
            found = [] if name.startswith("*.") else await loop.getaddrinfo(name, None)
        except OSError:
            continue
        if any(ipaddress.ip_address(entry[4][0]) == wanted for entry in found):
            return True
    return False
