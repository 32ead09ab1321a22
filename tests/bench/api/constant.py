"""What the API server is measured beside: a bare ASGI application that answers with constant bytes.

It runs under the same uvicorn, on the same event loop, behind the same TLS with a client's
certificate required:

    python -m tests.bench.api.constant PORT CA CERTIFICATE KEY DIRECTORY

GET /NAME answers with the file of that name in the directory.
"""

import asyncio
import ssl
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

JSON = (b"content-type", b"application/json")


class Constant:
    """The application."""

    def __init__(self, directory: Path) -> None:
        self._answers = {f"/{path.name}": path.read_bytes() for path in directory.iterdir()}

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer a request."""
        body = self._answers.get(scope["path"], b"")
        head = [JSON, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until killed."""
    port, authority, certificate, key, directory = sys.argv[1:]
    config = uvicorn.Config(
        Constant(Path(directory)),
        host="127.0.0.1",
        port=int(port),
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        ssl_ca_certs=authority,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
