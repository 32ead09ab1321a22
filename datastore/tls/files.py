"""Certificate, key and authorities as files that rotate while they are served.

`Certificates.current` looks at the files once a handshake and reads them when one has changed. A
set that does not fit together, as between the writing of a certificate and of its key, is logged
and the last good one kept until they change again; what could not be read is tried again at the
next handshake. What was judged is what is served: nothing is read from a file twice. Called from
gRPC's threads and from the event loop.
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


class Unreadable(ConfigError):
    """Nobody knows yet what is in the files: a file or a descriptor could not be had."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a handshake needs, as PEM; `authorities` is b"" when clients show no certificate."""

    certificate: bytes
    key: bytes
    authorities: bytes

    def load_pair(self, context: ssl.SSLContext) -> None:
        """Let a context show the certificate; ssl.SSLError or ValueError if it is none."""
        with _in_memory(self.certificate) as certificate, _in_memory(self.key) as key:
            context.load_cert_chain(certificate, key, password=_no_password)


class Certificates:
    """The newest good material of some files; "" for `authorities_file` is none."""

    def __init__(self, cert_file: str, key_file: str, authorities_file: str) -> None:
        """Read the files; ConfigError names the one that cannot be used."""
        self._files = (cert_file, key_file, authorities_file)
        self._lock = threading.Lock()
        self._seen = self._stamps()
        self._material = self._read()
        self._told = ""  # of what was not read, since the last that was

    def current(self) -> Material:
        """Return the material to use for a handshake now."""
        with self._lock:
            stamps = self._stamps()
            if stamps != self._seen and self._reload():
                self._seen, self._told = stamps, ""
            return self._material

    def _reload(self) -> bool:
        """Say whether the files were judged: taken, or kept out until they change again."""
        try:
            self._material = self._read()
        except Unreadable as error:
            if self._told != str(error):
                self._told = str(error)
                log.warning("certificates=kept until=readable reason=%s", error)
            return False
        except ConfigError as error:
            log.warning("certificates=kept reason=%s", error)
        else:
            log.info("certificates=reloaded files=%s", ",".join(filter(None, self._files)))
        return True

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(name) for name in self._files]

    def _read(self) -> Material:
        cert_file, key_file, authorities_file = self._files
        material = Material(
            _content("--cert-file", cert_file),
            _content("--key-file", key_file),
            _content("--trusted-ca-file", authorities_file) if authorities_file else b"",
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            material.load_pair(context)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(
                f"--cert-file {cert_file} and --key-file {key_file} are not a certificate "
                f"and its key: {_reason(error)}"
            ) from error
        except OSError as error:
            raise Unreadable(
                f"--cert-file {cert_file}, --key-file {key_file}: {error.strerror}"
            ) from error
        if authorities_file:
            _check_authorities(context, authorities_file, material.authorities)
        return material


def system_authorities() -> str:
    """Return the file of the machine's authorities, for --client-cert-auth without a CA file."""
    path = ssl.get_default_verify_paths().cafile
    if not path:
        raise ConfigError("--client-cert-auth: this machine knows no CA: give --trusted-ca-file")
    return path


def _check_authorities(context: ssl.SSLContext, name: str, content: bytes) -> None:
    try:
        context.load_verify_locations(cadata=content.decode("latin-1"))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"--trusted-ca-file {name} holds no certificate: {_reason(error)}"
        ) from error


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Yield a name by which OpenSSL, which takes names alone, reads what is on no disk."""
    descriptor = os.memfd_create("tapir-pem")
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def _no_password() -> str:
    raise ValueError("the key is encrypted, which etcd does not support either")


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)


def _content(flag: str, name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Unreadable(f"{flag} {name}: {error.strerror}") from error


def _stamp(name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name) if name else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_size, found.st_ino)
