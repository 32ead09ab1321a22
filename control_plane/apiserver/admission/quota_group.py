"""What is charged together: the writes that wait for a namespace's quotas, judged in their order.

Pure.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from control_plane.api.quota.amounts import Usage
from control_plane.api.quota.charging import Quota, QuotaRefusal, Write, additions
from control_plane.apiserver.etcd.model import Part

Additions = Mapping[str, Usage]
"""What a write adds to what is used, by quota."""


@dataclass(slots=True)
class Charge:
    """What is to happen, or to be so, in the transaction that writes an object.

    Whoever writes it sets the `revision`.
    """

    parts: tuple[Part, ...] = ()
    revision: int = 0


@dataclass(slots=True, eq=False)
class Share:
    """One write; `answer` is for who waits for its `charge`. A dry run is judged, and adds nothing.

    `quotas` are to be as its charge writes them, if it does; otherwise it is charged already, under
    the `reservation` that was made at that revision.
    """

    write: Write
    is_dry_run: bool = False
    additions: Additions = field(default_factory=dict)
    charge: Charge | None = None
    quotas: list[Quota] = field(default_factory=list)
    reservation: int = 0
    answer: asyncio.Future[Charge] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody still wants the answer."""
        return self.answer is not None and not self.answer.done()

    def take(self, charge: Charge) -> None:
        """Give the answer."""
        self.charge = charge
        if self.answer is not None:
            self.answer.set_result(charge)

    def refuse(self, error: Exception) -> None:
        """Let the answer be an error."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)

    def judge(self, quotas: Iterable[Quota]) -> bool:
        """Find what the write adds, and return whether that is anything; raises QuotaRefusal."""
        found = additions(quotas, self.write)
        self.additions = {} if self.is_dry_run else found
        return bool(self.additions)


class Group(NamedTuple):
    """Judged writes: those that are charged, those that cost nothing, and those that do not fit.

    `refused` did not fit the quotas as they were, `late` not after what others of the group add.
    `quotas` are those that are changed, as they are then.
    """

    charged: list[Share]
    free: list[Share]
    refused: list[tuple[Share, QuotaRefusal]]
    late: list[Share]
    quotas: list[Quota]


def grouped(quotas: Iterable[Quota], shares: Iterable[Share], owed: Iterable[Additions]) -> Group:
    """Judge the writes one after the other, beginning with what is owed to the quotas taken off."""
    before = {quota.name: quota for quota in quotas}
    after = dict(before)
    for one in owed:
        for name, addition in one.items():
            if name in after:
                after[name] = after[name].repaid(addition)
    group = Group([], [], [], [], [])
    for share in shares:
        try:
            is_charged = share.judge(after.values())
        except QuotaRefusal as refusal:
            if group.charged:
                group.late.append(share)
            else:
                group.refused.append((share, refusal))
            continue
        (group.charged if is_charged else group.free).append(share)
        for name, addition in share.additions.items():
            after[name] = after[name].charged(addition)
    group.quotas.extend(
        quota.settled() for name, quota in after.items() if quota is not before[name]
    )
    return group
