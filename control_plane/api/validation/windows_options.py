"""Rules of the options of Windows containers: who they run as, and as which kind of process.

Called by pod_security.py, container_security.py and pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import invalid, invalid_each

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_MAX_CREDENTIAL_KIB: Final = 64
_MAX_DOMAIN: Final = 256
_MAX_USER: Final = 104
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NET_BIOS: Final = re.compile(r"""[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}""")
_DNS_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS: Final = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_NOT_IN_USERS: Final = r""""/\:;|=,+*?<>@[]"""


def validate_windows_options(options: Object | None, path: str) -> Iterator[FieldError]:
    """Check the windowsOptions of a pod or a container; `path` is theirs."""
    if options is None:
        return
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        messages = formats.dns1123_subdomain(name)
        yield from invalid_each(f"{path}.gmsaCredentialSpecName", name, messages)
    credential = options.get("gmsaCredentialSpec")
    if credential is not None and not credential:
        detail = "gmsaCredentialSpec cannot be an empty string"
        yield invalid(f"{path}.gmsaCredentialSpec", credential, detail)
    elif credential is not None and len(credential.encode()) > _MAX_CREDENTIAL_KIB * 1024:
        detail = f"gmsaCredentialSpec size must be under {_MAX_CREDENTIAL_KIB} KiB"
        yield invalid(f"{path}.gmsaCredentialSpec", credential, detail)
    user = options.get("runAsUserName")
    if user is not None:
        for problem in _objections_to_user(user):
            yield invalid(f"{path}.runAsUserName", user, f"runAsUserName{problem}")


def _objections_to_user(text: str) -> Iterator[str]:
    """Say what is wrong with [DOMAIN\\]USER."""
    domain, backslash, user = text.rpartition("\\")
    if not text:
        yield " cannot be an empty string"
    elif _CONTROL.search(text):
        yield " cannot contain control characters"
    elif "\\" in domain:
        yield " cannot contain more than one backslash"
    else:
        if len(domain.encode()) >= _MAX_DOMAIN:
            yield f"'s Domain length must be under {_MAX_DOMAIN} characters"
        if backslash and not (_NET_BIOS.fullmatch(domain) or _DNS.fullmatch(domain)):
            yield "'s Domain doesn't match the NetBios nor the DNS format"
        if not user:
            yield "'s User cannot be empty"
        elif len(user.encode()) > _MAX_USER:
            yield f"'s User length must not be longer than {_MAX_USER} characters"
        if user and not user.strip(". "):
            yield "'s User cannot contain only periods or spaces"
        if set(user) & set(_NOT_IN_USERS):
            yield f"'s User cannot contain the following characters: {_NOT_IN_USERS}"


def validate_host_process(spec: Object, path: str) -> Iterator[FieldError]:
    """Check that all containers of a pod are host processes or none; `path` is the spec's."""
    of_pod = _host_process(spec)
    hosted = []
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or []):
            own = _host_process(container)
            if own is not None and of_pod is not None and own != of_pod:
                where = f"{path}.{field}[{index}].securityContext.windowsOptions.hostProcess"
                shown = str(of_pod).lower()
                detail = (
                    f"pod hostProcess value must be identical if both are specified, was {shown}"
                )
                yield invalid(where, own, detail)
            hosted.append(bool(of_pod if own is None else own))
    if not any(hosted):
        return
    if not all(hosted):
        detail = (
            "If pod contains any hostProcess containers then all containers must be HostProcess "
            "containers"
        )
        yield invalid(path, "", detail)
    if not spec.get("hostNetwork"):
        detail = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(f"{path}.hostNetwork", False, detail)


def _host_process(owner: Object) -> Any:
    security = owner.get("securityContext") or {}
    return (security.get("windowsOptions") or {}).get("hostProcess")
