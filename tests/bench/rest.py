"""What servers cost that have little to do: nothing at all, or 100,000 leases to keep alive."""

import time
from collections.abc import Callable, Sequence

from tests.bench.compiled_client import run_loader
from tests.bench.contenders import contenders
from tests.bench.processes import cpu_seconds, rss_mib

SETTLE_SECONDS = 10.0
IDLE_SECONDS = 30.0
LEASES, TTL = 100_000, 60


def idle(names: Sequence[str], say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Start empty servers and leave them alone; percent of a core and MiB by server."""
    with contenders(names) as servers:
        say(f"idle servers, {IDLE_SECONDS:.0f} s")
        time.sleep(SETTLE_SECONDS)
        before = {server.name: cpu_seconds(server.pid) for server in servers}
        began = time.monotonic()
        time.sleep(IDLE_SECONDS)
        took = time.monotonic() - began
        return {
            server.name: {
                "cpu": 100 * (cpu_seconds(server.pid) - before[server.name]) / took,
                "rss_mib": rss_mib(server.pid),
            }
            for server in servers
        }


def leases(names: Sequence[str], say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Keep LEASES alive for a TTL on one server after the other; percent of a core, MiB.

    Each lease is renewed every third of its TTL, as etcd's own client does. None may be lost.
    """
    figures = {}
    for name in names:
        with contenders([name]) as (server,):
            say(f"{LEASES:,} leases on {name}, {TTL} s")
            flags = {"leases": LEASES, "ttl": TTL, "connections": 4, "warm_up": 5}
            load = run_loader(server, "keepalive", TTL, **flags)
            figures[name] = {
                "cpu": 100 * load.server_cpu,
                "per_second": load.per_second,
                "rss_mib": rss_mib(server.pid),
            }
    return figures
