"""FLAGS: every flag by its name. GROUPS: the same by subject, for help and reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.flags import honoured
from datastore.flags.flag import BOOLEAN, Flag
from datastore.flags.renamed import EXPERIMENTAL, GATES
from datastore.flags.unsupported import NO_EFFECT, REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

_HONOURED = {
    "Server": honoured.SERVER,
    "Limits": honoured.LIMITS,
    "Security": honoured.SECURITY,
    "HTTP": honoured.HTTP,
    "Log": honoured.LOG,
}
_NO_EFFECT = tuple(
    Flag(*row, help="", no_effect=reason) for reason, rows in NO_EFFECT.items() for row in rows
)
_REFUSED = tuple(
    Flag(*row, help="", refused=reason) for reason, rows in REFUSED.items() for row in rows
)
_NEW = {flag.name: flag for rows in _HONOURED.values() for flag in rows} | {
    flag.name: flag for flag in (*_NO_EFFECT, *_REFUSED)
}


def _old_name(name: str) -> Flag:
    new = _NEW[name]
    return Flag(f"experimental-{name}", new.kind, new.default, "", instead=name)


_OLD = tuple(map(_old_name, EXPERIMENTAL)) + tuple(
    Flag(name, BOOLEAN, default, "", no_effect="it is a feature gate in etcd 3.6")
    for name, default in GATES
)

GROUPS: Mapping[str, tuple[Flag, ...]] = {
    **_HONOURED,
    "Refused": _REFUSED,
    "Without effect": _NO_EFFECT,
    "Old names": _OLD,
}
FLAGS: Mapping[str, Flag] = {flag.name: flag for rows in GROUPS.values() for flag in rows}
