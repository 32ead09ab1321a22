"""exec: success is exit code 0."""

from __future__ import annotations

import asyncio

from node.kubelet.probes.base import OUTPUT_BYTES, Outcome, ProbeTarget, ProbeTrouble
from node.kubelet.runtimes.base import ExecRequest, Runtime, RuntimeFailure


async def exec_probe(target: ProbeTarget) -> Outcome:
    """Run the command in the container; output is at most 10 KiB of both streams."""
    command = list(target.action.get("command") or ())
    try:
        async with asyncio.timeout(target.timeout_seconds):
            code, output = await run_command(target.runtime, target.container_id, command)
    except TimeoutError:
        text = " ".join(command)
        seconds = f"{target.timeout_seconds:g}s"
        return Outcome(False, f'command timed out: "{text}" timed out after {seconds}')
    except RuntimeFailure as error:
        raise ProbeTrouble(str(error)) from error
    return Outcome(code == 0, output)


async def run_command(runtime: Runtime, container_id: str, command: list[str]) -> tuple[int, str]:
    """Run a command to its end; return its exit code and the start of its output."""
    process = await runtime.exec(container_id, ExecRequest(command))
    output = bytearray()
    try:
        while (message := await process.read()) is not None:
            if len(output) < OUTPUT_BYTES:
                output += message[1]
        code = await process.exit_code()
    finally:
        await process.close()
    return code or 0, output[:OUTPUT_BYTES].decode(errors="replace")
