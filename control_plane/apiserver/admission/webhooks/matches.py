"""Which webhooks are to be asked about a write: criteria first, then conditions."""

from control_plane.api.resources import Resource
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.webhooks.conditions import hold
from control_plane.apiserver.admission.webhooks.hook import Hook
from control_plane.apiserver.storage.collections import Collections


async def seen_by(hook: Hook, review: Review, collections: Collections) -> Resource | None:
    """The version in which the webhook is to see the write; None when it is not to.

    Raises NotFound for a namespace whose labels are needed, and Forbidden when a condition cannot
    be evaluated and the webhook's failure policy is Fail.
    """
    seen_as = await hook.criteria.seen_as(review, collections)
    if seen_as is None or not hook.conditions:
        return seen_as
    return seen_as if hold(hook, review, seen_as) else None
