"""What is between our servers and a database: a network that is cut, reset or slow, or PgBouncer.

Each server has a network of its own, so that one may be cut off while another goes on.
"""

import random
import time
from collections.abc import Callable, Sequence

from tests.support.tcp_proxy import TcpProxy

CUT_SECONDS = 7.0  # the database ends a transaction that nobody goes on with after 5
RESET_SECONDS = 1.0
SLOW_SECONDS = 3.0
DELAY_SECONDS = 0.05

NetworkFault = Callable[[Sequence[TcpProxy]], None]


def trouble(chance: random.Random, proxies: Sequence[TcpProxy], fault: NetworkFault) -> None:
    """Let one network or all of them have a fault, and mend it."""
    struck = proxies if chance.random() < 0.5 else [chance.choice(proxies)]
    fault(struck)
    for proxy in struck:
        proxy.mend()


def cut(proxies: Sequence[TcpProxy]) -> None:
    """Let nothing through, and close nothing."""
    for proxy in proxies:
        proxy.hold()
    time.sleep(CUT_SECONDS)


def reset(proxies: Sequence[TcpProxy]) -> None:
    """Close every connection, and take none for a while."""
    for proxy in proxies:
        proxy.reset()
    time.sleep(RESET_SECONDS)


def slow(proxies: Sequence[TcpProxy]) -> None:
    """Delay everything."""
    for proxy in proxies:
        proxy.slow(DELAY_SECONDS)
    time.sleep(SLOW_SECONDS)
