"""Which queues a flow may use: a hand of a few, dealt from all by the flow's hash. Pure.

Two flows seldom have the same hand, so that one that floods its queues leaves the others a way past
them. Source: the shuffle sharding of API priority and fairness, v1.35.
"""

import hashlib
from collections.abc import Sequence


def flow_hash(schema: str, distinguisher: str) -> int:
    """A 64-bit hash of a flow: the name of its schema, and what tells it from the others."""
    digest = hashlib.sha256(f"{schema}\0{distinguisher}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "little")


def deal(flow: int, queues: int, hand_size: int) -> tuple[int, ...]:
    """A hand of different queues, numbered from 0 to below `queues`, for a flow's hash.

    Each card is drawn from those that are left, which the remainder of the hash numbers.
    """
    hand: list[int] = []
    for left in range(queues, queues - hand_size, -1):
        flow, card = divmod(flow, left)
        for taken in sorted(hand):
            if card >= taken:
                card += 1
        hand.append(card)
    return tuple(hand)


def shortest(hand: Sequence[int], work: Sequence[float], first: int) -> int:
    """The queue of the hand with the least `work` waiting, given in the order of the hand.

    Equal ones take turns: `first` says which card is looked at first.
    """
    size = len(hand)
    best = min(range(size), key=lambda card: (work[card], (card - first) % size))
    return hand[best]
