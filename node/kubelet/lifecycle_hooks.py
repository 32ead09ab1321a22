"""postStart and preStop: HANDLERS is the table of what a hook may be.

Called by container_start.py and termination.py. A hook's failure is a HookFailure with upstream's
text; what follows from it is the caller's business.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from node.kubelet.pod_spec import pod_id
from node.kubelet.probes.base import ProbeTrouble, port_number
from node.kubelet.probes.command import run_command
from node.kubelet.runtimes.base import Runtime, RuntimeFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from control_plane.api.objects import Object

_USER_AGENT = "kube-lifecycle/1.35"


class HookFailure(Exception):
    """A hook could not be run, or failed."""


@dataclass(frozen=True, slots=True)
class HookTarget:
    """Whom a hook acts on."""

    runtime: Runtime
    pod: Object
    container: Object
    container_id: str
    address: str

    def named(self) -> str:
        """Return how messages name it."""
        return f'for Container "{self.container["name"]}" in Pod "{pod_id(self.pod)}"'


async def run_hook(target: HookTarget, handler: Object) -> None:
    """Run one handler to its end; raises HookFailure. The caller bounds the time."""
    for key, run in HANDLERS.items():
        if key in handler:
            await run(target, handler[key] or {})
            return
    raise HookFailure(f"Cannot run handler: invalid handler: {', '.join(handler)}")


async def _exec(target: HookTarget, action: Object) -> None:
    command = list(action.get("command") or ())
    try:
        code, output = await run_command(target.runtime, target.container_id, command)
    except RuntimeFailure as error:
        code, output = -1, str(error)
    if code:
        problem = f"command '{' '.join(command)}' exited with {code}"
        raise HookFailure(
            f"Exec lifecycle hook ([{' '.join(command)}]) {target.named()} failed - "
            f'error: {problem}, message: "{output}"'
        )


async def _http_get(target: HookTarget, action: Object) -> None:
    try:
        url = _url(target, action)
        headers = {"User-Agent": _USER_AGENT, "Accept": "*/*"}
        headers |= {h["name"]: h.get("value", "") for h in action.get("httpHeaders") or ()}
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, headers=headers, ssl=trusting) as response,
        ):
            await response.read()  # whatever the status is: only transport errors fail
    except (aiohttp.ClientError, OSError, ProbeTrouble) as error:
        path = action.get("path") or ""
        raise HookFailure(
            f"HTTP lifecycle hook ({path}) {target.named()} failed - error: {error}"
        ) from error


def _url(target: HookTarget, action: Object) -> str:
    host = action.get("host") or target.address
    scheme = str(action.get("scheme") or "HTTP").lower()
    port = port_number(target.container, action["port"])
    path = str(action.get("path") or "/")
    return f"{scheme}://{host}:{port}/{path.lstrip('/')}"


async def _sleep(target: HookTarget, action: Object) -> None:
    await asyncio.sleep(float(action.get("seconds") or 0))


async def _tcp(target: HookTarget, action: Object) -> None:
    raise HookFailure("Cannot run handler: invalid handler: tcpSocket is not run in hooks")


HANDLERS: Mapping[str, Callable[[HookTarget, Object], Awaitable[None]]] = {
    "exec": _exec,
    "httpGet": _http_get,
    "sleep": _sleep,
    "tcpSocket": _tcp,
}
