"""httpGet: success is a status from 200 to 399. Redirects on the same host are followed, others
count as a warning.
"""

from __future__ import annotations

import ssl

import aiohttp
from yarl import URL

from node.kubelet.probes.base import OUTPUT_BYTES, USER_AGENT, Outcome, ProbeTarget, port_number

_REDIRECTS = 10


async def http_probe(target: ProbeTarget) -> Outcome:
    """Make one GET; what goes wrong with it is a failure, never an exception."""
    url = _url(target)
    try:
        timeout = aiohttp.ClientTimeout(total=target.timeout_seconds)
        async with aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(ssl=_trusting(), force_close=True)
        ) as session:
            return await _follow(session, url, _headers(target))
    except TimeoutError:
        message = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Outcome(False, f'Get "{url}": {message}')
    except (aiohttp.ClientError, OSError) as error:
        return Outcome(False, f'Get "{url}": {error}')


async def _follow(session: aiohttp.ClientSession, url: URL, headers: dict[str, str]) -> Outcome:
    here = url
    for _ in range(_REDIRECTS):
        async with session.get(here, headers=headers, allow_redirects=False) as response:
            body = (await response.content.read(OUTPUT_BYTES)).decode(errors="replace")
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or location is None:
                return _judge(response.status, body)
        here = here.join(URL(location))
        if here.host != url.host:
            return Outcome(True, f"Probe terminated redirects, Response body: {body}", True)
    return Outcome(False, f'Get "{url}": stopped after {_REDIRECTS} redirects')


def _judge(status: int, body: str) -> Outcome:
    if 200 <= status < 400:
        return Outcome(True, body)
    return Outcome(False, f"HTTP probe failed with statuscode: {status}")


def _url(target: ProbeTarget) -> URL:
    action = target.action
    host = action.get("host") or target.address
    port = port_number(target.container, action["port"])
    scheme = str(action.get("scheme") or "HTTP").lower()
    path = action.get("path") or "/"
    authority = f"[{host}]" if ":" in host else host
    return URL(f"{scheme}://{authority}:{port}{path if path.startswith('/') else '/' + path}")


def _headers(target: ProbeTarget) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    for header in target.action.get("httpHeaders") or ():
        headers[header["name"].title()] = header.get("value", "")
    if not headers.get("Accept"):
        headers.pop("Accept", None)
    return headers


def _trusting() -> ssl.SSLContext:
    """Probes do not verify certificates: a pod's own are rarely signed by anyone known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
