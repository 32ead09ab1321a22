"""tcpSocket: success is that a connection can be made."""

from __future__ import annotations

import asyncio

from node.kubelet.probes.base import Outcome, ProbeTarget, port_number


async def tcp_probe(target: ProbeTarget) -> Outcome:
    """Connect and close."""
    host = target.action.get("host") or target.address
    port = port_number(target.container, target.action["port"])
    try:
        async with asyncio.timeout(target.timeout_seconds):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Outcome(False, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as error:
        return Outcome(False, f"dial tcp {host}:{port}: connect: {_reason(error)}")
    writer.close()
    return Outcome(True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
