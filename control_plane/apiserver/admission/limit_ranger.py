"""LimitRanger: containers get the defaults of their namespace's LimitRanges, and nothing is stored
that does not fit them.
"""

from control_plane.api.limit_ranges import (
    LimitRange,
    claim_violations,
    pod_violations,
    set_defaults,
)
from control_plane.api.objects import is_terminating
from control_plane.api.resources import LIMITRANGES, PERSISTENTVOLUMECLAIMS, PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed


class LimitRanger(Plugin):
    """Acts on new pods, on their resizes, and on claims."""

    concerns = (PODS, PERSISTENTVOLUMECLAIMS)

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the LimitRanges."""
        super().__init__(collections, authorizer)
        self._ranges: Followed[LimitRange] = Followed(collections, LIMITRANGES, LimitRange.of)

    async def admit(self, review: Review) -> None:
        """Set the defaults."""
        if _is_limited_pod(review):
            for limit_range in self._of(review):
                set_defaults(limit_range, review.obj)

    async def check(self, review: Review) -> None:
        """Refuse what one of the LimitRanges has something against."""
        if _is_limited_pod(review):
            violations = [pod_violations(one, review.obj) for one in self._of(review)]
        elif _is_limited_claim(review):
            violations = [claim_violations(one, review.obj) for one in self._of(review)]
        else:
            return
        for texts in violations:
            found = list(dict.fromkeys(texts))
            if found:
                raise review.forbidden(found[0] if len(found) == 1 else f"[{', '.join(found)}]")

    def _of(self, review: Review) -> list[LimitRange]:
        if review.old is not None and is_terminating(review.old):
            return []
        return sorted(self._ranges.of(review.namespace), key=lambda one: one.name)


def _is_limited_pod(review: Review) -> bool:
    if review.is_for(PODS, Operation.CREATE):
        return True
    return review.is_for(PODS, Operation.UPDATE, "resize")


def _is_limited_claim(review: Review) -> bool:
    writes = (Operation.CREATE, Operation.UPDATE)
    return any(review.is_for(PERSISTENTVOLUMECLAIMS, operation) for operation in writes)
