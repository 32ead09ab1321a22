"""Certificates with their keys in one file each, and a link to the newest.

    pki/kubelet-client-2026-01-02-03-04-05.pem
    pki/kubelet-client-current.pem -> kubelet-client-2026-01-02-03-04-05.pem

Source: client-go's certificate store, as kubelets have it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CertificateStore:
    """The certificates called `name`, such as "kubelet-client", in `directory`."""

    directory: Path
    name: str

    @property
    def current(self) -> Path:
        """Return where the newest certificate and its key are."""
        return self.directory / f"{self.name}-current.pem"

    def certificate(self) -> x509.Certificate | None:
        """Return the newest certificate, or None when there is none that can be read."""
        try:
            return x509.load_pem_x509_certificate(self.current.read_bytes())
        except (OSError, ValueError):
            return None

    def replace(self, certificate: bytes, key: bytes, now: datetime.datetime) -> None:
        """Make a certificate the newest, in one step; earlier ones stay."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.directory / f"{self.name}-{now:%Y-%m-%d-%H-%M-%S}.pem"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate.rstrip() + b"\n" + key)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        link = self.directory / f"{self.name}-current.link"
        link.unlink(missing_ok=True)
        link.symlink_to(path.name)
        link.replace(self.current)
