"""Maps raw scores of all feasible nodes to 0..100, as several plugins want it."""

from control_plane.scheduler.framework.plugin import MAX_NODE_SCORE


def share(scores: list[int]) -> list[int]:
    """Give the highest raw score 100 and the others their share.

    All stay 0 when the highest is 0.
    """
    highest = max(scores, default=0)
    return [MAX_NODE_SCORE * score // highest for score in scores] if highest else scores


def reversed_share(scores: list[int]) -> list[int]:
    """Give the highest raw score 0 and a raw score of 0 the full 100."""
    return [MAX_NODE_SCORE - score for score in share(scores)]
