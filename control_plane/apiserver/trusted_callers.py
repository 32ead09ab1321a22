"""Whom the API servers of a cluster believe: ConfigMap extension-apiserver-authentication.

Servers of aggregated APIs read there which certificates are users and which front proxies, and in
which headers these say for whom they ask. Each API server adds to what it finds, so that servers
with different files agree in the end. Source: the cluster authentication trust controller of
kube-apiserver v1.35.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import orjson

from control_plane.apiserver.auth.request_header import RequestHeaders
from control_plane.apiserver.authority_bundle import combined
from control_plane.apiserver.config import ApiServerConfig

CONFIG_MAP = "extension-apiserver-authentication"
_USERS, _PROXIES = "client-ca-file", "requestheader-client-ca-file"
_CLOCK_SKEW = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TrustedCallers:
    """One server's: the authorities as PEM, and its front proxies, of which there may be none."""

    client_ca: str
    proxies: RequestHeaders | None = None
    proxy_ca: str = ""

    @classmethod
    def of(cls, config: ApiServerConfig) -> Self:
        """Read the files that a server was started with; raises OSError."""
        proxies = config.auth.request_headers
        proxy_ca = proxies.authority.read_text() if proxies is not None else ""
        return cls(config.tls.client_ca.read_text(), proxies, proxy_ca)


def combined_data(
    found: Mapping[str, str], own: TrustedCallers, now: datetime.datetime
) -> dict[str, str]:
    """The ConfigMap's data: what `found` has, and then what of `own` is new.

    Authorities that have expired, and what cannot be read of `found`, are left out; without an
    authority of front proxies nothing is said of them. Raises ValueError when `own` is no PEM.
    """
    at = now - _CLOCK_SKEW
    users = combined(found.get(_USERS, ""), own.client_ca, at)
    proxies = combined(found.get(_PROXIES, ""), own.proxy_ca, at)
    data = {_USERS: users} if users else {}
    if proxies:
        lists = _lists(own.proxies)
        data |= {key: _united(found.get(key, ""), names) for key, names in lists.items()}
        data[_PROXIES] = proxies
    return data


def _lists(proxies: RequestHeaders | None) -> Mapping[str, tuple[str, ...]]:
    return {
        "requestheader-username-headers": proxies.username if proxies else (),
        "requestheader-uid-headers": proxies.uid if proxies else (),
        "requestheader-group-headers": proxies.group if proxies else (),
        "requestheader-extra-headers-prefix": proxies.extra_prefix if proxies else (),
        "requestheader-allowed-names": proxies.allowed_names if proxies else (),
    }


def _united(found: str, own: Iterable[str]) -> str:
    return orjson.dumps(list(dict.fromkeys((*_readable(found), *own)))).decode()


def _readable(text: str) -> list[str]:
    try:
        names = orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return []
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else []
