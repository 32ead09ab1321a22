"""Rules of certificate signing requests.

Called through the VALIDATORS table. Source: v1.35 certificates/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.certificate_pem import certificate_trouble, request_trouble
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MIN_SECONDS: Final = 600
LEGACY_SIGNER: Final = "kubernetes.io/legacy-unknown"
USAGES: Final = frozenset({
    "signing", "digital signature", "content commitment", "key encipherment", "key agreement",
    "data encipherment", "cert sign", "crl sign", "encipher only", "decipher only", "any",
    "server auth", "client auth", "code signing", "email protection", "s/mime",
    "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
    "microsoft sgc", "netscape sgc",
})  # fmt: skip
APPROVAL: Final = ("Approved", "Denied")
_ALWAYS_TRUE: Final = ("Approved", "Denied", "Failed")
_CONDITIONS: Final = "status.conditions"


def validate_signing_request(request: Object) -> Iterator[FieldError]:
    """Check a new CertificateSigningRequest."""
    spec = request.get("spec") or {}
    trouble = request_trouble(spec.get("request") or "")
    if trouble:
        yield invalid("spec.request", spec.get("request") or "", trouble)
    yield from _validate_usages(spec.get("usages") or [])
    signer = spec.get("signerName") or ""
    if signer == LEGACY_SIGNER:
        detail = "the legacy signerName is not allowed via this API version"
        yield invalid("spec.signerName", signer, detail)
    elif not signer:
        yield required("spec.signerName")
    else:
        yield from invalid_each("spec.signerName", signer, formats.signer_name(signer))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < MIN_SECONDS:
        detail = f"may not specify a duration less than {MIN_SECONDS} seconds (10 minutes)"
        yield invalid("spec.expirationSeconds", seconds, detail)
    yield from _validate_conditions(request)


def _validate_usages(usages: list[str]) -> Iterator[FieldError]:
    if not usages:
        yield required("spec.usages")
    for index, usage in enumerate(usages):
        if usage not in USAGES:
            yield not_supported(f"spec.usages[{index}]", usage, sorted(USAGES))
        if usage in usages[:index]:
            yield duplicate(f"spec.usages[{index}]", usage)


def _conditions(request: Object) -> list[Object]:
    return (request.get("status") or {}).get("conditions") or []


def _validate_conditions(request: Object) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, condition in enumerate(_conditions(request)):
        path = f"{_CONDITIONS}[{index}]"
        kind, status = condition.get("type") or "", condition.get("status") or ""
        if not kind:
            yield required(f"{path}.type")
        if not status:
            yield required(f"{path}.status")
        elif kind in _ALWAYS_TRUE and status != "True":
            yield not_supported(f"{path}.status", status, ("True",))
        elif status not in ("True", "False", "Unknown"):
            yield not_supported(f"{path}.status", status, ("False", "True", "Unknown"))
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        if kind in APPROVAL and seen & set(APPROVAL) - {kind}:
            detail = "Approved and Denied conditions are mutually exclusive"
            yield invalid(f"{path}.type", kind, detail)
        seen.add(kind)


def validate_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of the request itself: neither conditions nor the certificate change."""
    yield from _keep_conditions(new, old, ("Approved", "Denied", "Failed"), may_add=False)
    yield from _keep_certificate(new, old, may_set=False)


def validate_approval_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an approval: it may come, and then stays; the certificate is the signer's."""
    yield from _validate_conditions(new)
    yield from _keep_conditions(new, old, APPROVAL, may_add=True)
    yield from _keep_conditions(new, old, ("Failed",), may_add=False)
    yield from _keep_certificate(new, old, may_set=False)


def validate_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check what the signer says: a certificate or a failure, once."""
    yield from _validate_conditions(new)
    yield from _keep_conditions(new, old, APPROVAL, may_add=False)
    yield from _keep_conditions(new, old, ("Failed",), may_add=True)
    yield from _keep_certificate(new, old, may_set=True)
    certificate = (new.get("status") or {}).get("certificate")
    trouble = certificate_trouble(certificate) if certificate else ""
    if trouble:
        yield invalid("status.certificate", "<certificate data>", trouble)


def _keep_conditions(
    new: Object, old: Object, types: tuple[str, ...], *, may_add: bool
) -> Iterator[FieldError]:
    for kind in types:
        wanted, stored = (
            [each for each in _conditions(request) if each.get("type") == kind]
            for request in (new, old)
        )
        if stored and not wanted:
            detail = f'updates may not remove a condition of type "{kind}"'
            yield forbidden(_CONDITIONS, detail)
        elif wanted and not stored and not may_add:
            yield forbidden(_CONDITIONS, f'updates may not add a condition of type "{kind}"')
        elif stored and not semantically_equal(wanted, stored):
            detail = f'updates may not modify a condition of type "{kind}"'
            yield forbidden(_CONDITIONS, detail)


def _keep_certificate(new: Object, old: Object, *, may_set: bool) -> Iterator[FieldError]:
    wanted, stored = ((each.get("status") or {}).get("certificate") for each in (new, old))
    path = "status.certificate"
    if (wanted or "") == (stored or ""):
        return
    if stored:
        yield forbidden(path, "updates may not modify existing certificate content")
    elif not may_set:
        yield forbidden(path, "updates may not set certificate content")
