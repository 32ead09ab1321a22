"""WebSocket on the gateway's paths: a message in is a piece of the body, a line out is a message.

Until the gateway takes it an upgrade is a request like any other, which may be refused or answered
over HTTP; then it is a POST whose body goes on as long as the client talks. A browser cannot send
headers: the sub-protocols `Bearer` and a token stand for `Authorization: Bearer TOKEN`, as in etcd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datastore.rpc.callers import BEARER

if TYPE_CHECKING:
    from datastore.gateway.bodies import Receive
    from datastore.gateway.replies import Send

UPGRADE = "tapir.upgrade"
SUBPROTOCOL = BEARER.strip()  # stands before the token
SCHEMES = {"ws": "http", "wss": "https"}


class Upgrade:
    """A WebSocket that has not been accepted yet."""

    def __init__(self, scope: Any, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._protocols: list[str] = scope["subprotocols"]
        headers = list(scope["headers"])
        if self._protocols[:1] == [SUBPROTOCOL] and len(self._protocols) > 1:
            token = f"{BEARER}{self._protocols[1]}"
            headers.append((b"authorization", token.encode("latin-1")))
        self.scope = {
            **scope,
            "type": "http",
            "method": "POST" if scope["path"].startswith(("/v3/", "/v3beta/")) else "GET",
            "scheme": SCHEMES[scope["scheme"]],
            "headers": headers,
            UPGRADE: self,
        }

    async def respond(self, message: Any) -> None:
        """Answer over HTTP: there will be no WebSocket."""
        await self._send({**message, "type": f"websocket.{message['type']}"})

    async def accept(self, *, one_message: bool) -> WebSocket:
        """Accept; with `one_message` the first one is the whole body."""
        await self._receive()
        protocol = self._protocols[0] if self._protocols else None
        await self._send({"type": "websocket.accept", "subprotocol": protocol})
        return WebSocket(self._receive, self._send, one_message=one_message)


class WebSocket:
    """An accepted WebSocket as the two halves of a request."""

    def __init__(self, receive: Receive, send: Send, *, one_message: bool) -> None:
        self._receive = receive
        self._send = send
        self._one_message = one_message
        self._line = b""

    async def receive(self) -> Any:
        """Return the next piece of the body, or that the client has gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return {"type": "http.disconnect"}
        body = message.get("bytes") or (message.get("text") or "").encode()
        return {"type": "http.request", "body": body, "more_body": not self._one_message}

    async def send(self, message: Any) -> None:
        """Send the lines that are complete, and at the end close."""
        if message["type"] != "http.response.body":
            return
        *lines, self._line = (self._line + message.get("body", b"")).split(b"\n")
        is_last = not message.get("more_body", False)
        for line in (*lines, self._line) if is_last else lines:
            if line:
                await self._send({"type": "websocket.send", "text": line.decode()})
        if is_last:
            await self._send({"type": "websocket.close", "code": 1000})
