"""Which webhooks are to be asked about a write: criteria first, then conditions.

A condition that cannot be evaluated is what the webhook's failure policy makes of it. Source: the
generic webhook dispatcher of apiserver v1.35.
"""

import logging

from control_plane.api.policies.conditions import ConditionsFailed
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.variables import request_variables
from control_plane.apiserver.admission.webhooks.hook import Hook
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections

logger = logging.getLogger(__name__)


class Matches:
    """Looks up what conditions and selectors ask for."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Find namespaces in `collections`; `authorizer` says what the user may."""
        self._collections = collections
        self._authorizer = authorizer

    async def seen_by(self, hook: Hook, review: Review) -> Resource | None:
        """The version in which the webhook is to see the write; None when it is not to.

        Raises NotFound for a namespace whose labels are needed, and Forbidden when a condition
        cannot be evaluated and the webhook's failure policy is Fail.
        """
        seen_as = await hook.criteria.seen_as(review, self._collections)
        if seen_as is None or not hook.conditions.expressions:
            return seen_as
        return seen_as if self._hold(hook, review, seen_as) else None

    def _hold(self, hook: Hook, review: Review, seen_as: Resource) -> bool:
        try:
            return hook.conditions.hold(request_variables(review, seen_as, self._authorizer))
        except ConditionsFailed as error:
            if hook.fails_open:
                return False
            logger.warning("match conditions failed closed webhook=%s: %s", hook.name, error)
            raise review.forbidden(str(error)) from None
