"""Who asks, as a client certificate says: the common name, and organizations as groups. Pure.

TLS has verified the certificate when the connection was made. Source: the x509 authenticator of
Kubernetes v1.35.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object

AUTHENTICATED = "system:authenticated"
_CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user as reviews have one."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def spec(self) -> Object:
        """The fields of a SubjectAccessReview's spec that are about the user."""
        extra = {key: list(values) for key, values in self.extra.items()}
        return {"user": self.name, "groups": list(self.groups), "uid": self.uid, "extra": extra}


ANONYMOUS = Caller("system:anonymous", ("system:unauthenticated",))


def of_certificate(certificate: Mapping[str, Any], der: bytes, now: float) -> Caller | None:
    """The caller of a certificate as ssl.getpeercert() has it; `now` is in seconds since 1970.

    None for no certificate, one without a name, and one that has ended.
    """
    subject = subject_of(certificate)
    names = subject.get("commonName", ())
    if not names or not names[-1]:
        return None
    if now >= ssl.cert_time_to_seconds(certificate["notAfter"]):
        return None
    groups = (*subject.get("organizationName", ()), AUTHENTICATED)
    fingerprint = hashlib.sha256(der).hexdigest()
    extra = {_CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)}
    return Caller(names[-1], tuple(dict.fromkeys(groups)), extra=extra)


def of_user_info(info: Mapping[str, Any]) -> Caller | None:
    """The caller that a TokenReview names; None when it names nobody."""
    name = str(info.get("username") or "")
    groups = tuple(str(group) for group in info.get("groups") or ())
    if AUTHENTICATED not in groups:
        groups = (*groups, AUTHENTICATED)
    extra = {str(key): tuple(values) for key, values in (info.get("extra") or {}).items()}
    return Caller(name, groups, str(info.get("uid") or ""), extra) if name else None


def subject_of(certificate: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the values of each attribute of a certificate's subject, as ssl.getpeercert has it."""
    subject: dict[str, list[str]] = {}
    names = certificate.get("subject") or ()
    for group in names if isinstance(names, tuple) else ():
        for key, value in group:
            subject.setdefault(key, []).append(value)
    return subject
