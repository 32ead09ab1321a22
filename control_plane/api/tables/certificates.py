"""The table of CertificateSigningRequests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import NONE, age, human_duration

if TYPE_CHECKING:
    from datetime import datetime


def _cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    return [
        name_of(obj),
        age(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username") or "",
        NONE if seconds is None else human_duration(seconds),
        _state(obj),
    ]


def _state(obj: Object) -> str:
    types = {condition.get("type") for condition in dig(obj, "status", "conditions", default=[])}
    decided = next((kind for kind in ("Denied", "Approved") if kind in types), "Pending")
    failed = ",Failed" if "Failed" in types else ""
    issued = ",Issued" if dig(obj, "status", "certificate") else ""
    return f"{decided}{failed}{issued}"


_SPEC: Final = "certificates.v1.CertificateSigningRequestSpec"
CERTIFICATESIGNINGREQUESTS = View(
    (
        NAME,
        AGE,
        Column("SignerName", doc=f"{_SPEC}.signerName"),
        Column("Requestor", doc=f"{_SPEC}.username"),
        Column("RequestedDuration", doc=f"{_SPEC}.expirationSeconds"),
        Column("Condition", doc="certificates.v1.CertificateSigningRequestStatus.conditions"),
    ),
    _cells,
)
