"""What happens to a node of a Galera cluster: it is killed, or freezes, and comes back."""

import os
import random
import signal
import time

from tests.support.galera import Galera

FROZEN_SECONDS = 8.0  # longer than the others wait for a node
LOST_SECONDS = 5.0  # at most, before a node that was killed is started again


def lose_node(chance: random.Random, cluster: Galera) -> None:
    """Kill a node with SIGKILL; it joins again while the others serve."""
    node = chance.choice(cluster.nodes)
    cluster.lose(node)
    time.sleep(chance.uniform(0, LOST_SECONDS))
    cluster.find(node)
    cluster.settle()


def freeze_node(chance: random.Random, cluster: Galera) -> None:
    """Stop a node until the others have gone on without it, and let it find out."""
    node = chance.choice(cluster.nodes)
    os.kill(node.pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(node.pid, signal.SIGCONT)
    cluster.settle()
