"""The match conditions of a webhook: expressions, all of which must be true for it to be asked.

Any that is false is the end of it, even where others fail. Else a failure is what the webhook's
failure policy makes of it. Source: the match conditions of apiserver v1.35.
"""

import logging
from typing import Any

from control_plane.api.admission_variables import match_condition
from control_plane.api.cel import MATCH_CONDITIONS, Budget, CelError, CostExceeded
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.admission_request import (
    admission_request,
    shown,
    shown_old,
)
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.webhooks.hook import Hook

_OUT_OF_BUDGET = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)

logger = logging.getLogger(__name__)


def hold(hook: Hook, review: Review, seen_as: Resource) -> bool:
    """Whether all conditions do; raises Forbidden for those that cannot be evaluated."""
    request = admission_request(review, seen_as, "")
    bindings = {
        "object": shown(review, seen_as),
        "oldObject": shown_old(review, seen_as),
        "request": request,
    }
    failures: list[str] = []
    if not _none_is_false(hook, bindings, failures):
        return False
    if failures and not hook.fails_open:
        text = failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]"
        logger.warning("match conditions failed closed webhook=%s: %s", hook.name, text)
        raise review.forbidden(text)
    return not failures


def _none_is_false(hook: Hook, bindings: dict[str, Any], failures: list[str]) -> bool:
    budget = Budget(MATCH_CONDITIONS)
    for condition in hook.conditions:
        expression = condition.get("expression") or ""
        try:
            if match_condition(expression).evaluate(bindings, budget) is False:
                return False
        except CostExceeded:
            failures.append(_OUT_OF_BUDGET)
            return True
        except CelError as error:
            failures.append(f"expression '{expression}' resulted in error: {error}")
    return True
