"""Whether a write fits its namespace's quotas, and what they show as used if it does.

Quotas are compared by their status, as the resourcequota controller wrote it: `status.hard` and
`status.used`. Source: v1.35 resourcequota admission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.quota.amounts import NOTHING, Usage, shown, thousandths, total
from control_plane.api.quota.scopes import Scope, scopes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from control_plane.api.quota.countables import Countable


class QuotaRefusal(Exception):
    """A write that does not fit; the text is upstream's."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota as admission sees it: quantities by resource, and what was charged since."""

    name: str
    hard: Mapping[str, str]
    used: Mapping[str, str]
    scopes: tuple[Scope, ...]
    added: Usage = NOTHING

    @classmethod
    def of(cls, obj: Object) -> Quota:
        """Read a ResourceQuota."""
        hard = dig(obj, "status", "hard", default={})
        return cls(name_of(obj), hard, dig(obj, "status", "used", default={}), scopes_of(obj))

    def amount(self, name: str) -> int:
        """Return how much of a resource is used, in thousandths."""
        return thousandths(self.used[name]) + self.added.amounts.get(name, 0)

    def charged(self, addition: Usage) -> Quota:
        """Return the quota with so much more used."""
        return Quota(self.name, self.hard, self.used, self.scopes, self.added.plus(addition))

    def repaid(self, addition: Usage) -> Quota:
        """Return the quota as before an addition was charged, where it still counts that."""
        amounts = {name: -n for name, n in addition.amounts.items() if name in self.used}
        return self.charged(Usage(amounts, addition.binary))

    def settled(self) -> Quota:
        """Return the quota with what was charged written as used."""
        new = {name: total(self.used[name], self.added, name) for name in self.added.amounts}
        return Quota(self.name, self.hard, {**self.used, **new}, self.scopes)


class Write(NamedTuple):
    """The write of an object in a namespace with quotas; `old` is None for a creation.

    A write that `may_exceed` is only counted: the status of an object tells what is so already.
    """

    countable: Countable
    new: Object
    old: Object | None
    now: datetime
    may_exceed: bool = False


def concerned(quotas: Iterable[Quota], write: Write) -> list[Quota]:
    """Return the quotas that count the new object.

    Raises QuotaRefusal where the object does not say what one counts, or that one has not yet been
    computed.
    """
    found = [quota for quota in quotas if _counts(quota, write.countable, write.new)]
    for quota in found:
        names = write.countable.names(quota.hard)
        missing = write.countable.missing(write.new, names)
        if missing:
            raise QuotaRefusal(f"failed quota: {quota.name}: {missing}")
        if not all(name in quota.used for name in names):
            unknown = ",".join(sorted(names))
            raise QuotaRefusal(f"status unknown for quota: {quota.name}, resources: {unknown}")
    return found


def additions(quotas: Iterable[Quota], write: Write) -> dict[str, Usage]:
    """Return by quota what a write adds to what is used, for those that it adds something to.

    Raises QuotaRefusal when it does not fit one of them.
    """
    counting = concerned(quotas, write)
    if not counting:
        return {}
    usage = write.countable.usage(write.new, write.now)
    negative = sorted(name for name, amount in usage.amounts.items() if amount < 0)
    if negative:
        raise QuotaRefusal(f"quota usage is negative for resource(s): {','.join(negative)}")
    added: dict[str, Usage] = {}
    for quota in counting:
        wanted = _wanted(quota, write, usage)
        if not wanted.amounts:
            continue
        if not write.may_exceed:
            _check(quota, wanted)
        added[quota.name] = wanted
    return added


def _counts(quota: Quota, countable: Countable, obj: Object) -> bool:
    return bool(countable.names(quota.hard)) and countable.matches(obj, quota.scopes)


def _wanted(quota: Quota, write: Write, usage: Usage) -> Usage:
    """Return what the write adds to what the quota counts; never less than nothing."""
    before: Mapping[str, int] = {}
    if write.old is not None and write.countable.matches(write.old, quota.scopes):
        before = write.countable.usage(write.old, write.now).amounts
    added = {
        name: amount - before.get(name, 0)
        for name, amount in usage.amounts.items()
        if name in quota.hard and amount > before.get(name, 0)
    }
    return Usage(added, usage.binary)


def _check(quota: Quota, wanted: Usage) -> None:
    exceeded = [
        name
        for name, amount in sorted(wanted.amounts.items())
        if quota.amount(name) + amount > thousandths(quota.hard[name])
    ]
    if not exceeded:
        return
    requested = ",".join(
        f"{name}={shown(wanted.amounts[name], is_binary=name in wanted.binary)}"
        for name in exceeded
    )
    so_far = quota.settled().used
    used = ",".join(f"{name}={so_far[name]}" for name in exceeded)
    limited = ",".join(f"{name}={quota.hard[name]}" for name in exceeded)
    raise QuotaRefusal(
        f"exceeded quota: {quota.name}, requested: {requested}, used: {used}, limited: {limited}"
    )
