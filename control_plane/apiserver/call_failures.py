"""Why another server could not be called, as Go's clients word it. Pure.

Source: the texts of Go's net and crypto/tls packages, and of client-go's errors for answers.
"""

import os
import re
import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp
import orjson

from control_plane.api.errors import from_status
from control_plane.api.go_syntax import quote
from control_plane.apiserver.service_endpoints import UnresolvedError

_ADDRESS = re.compile(r"\('([^']+)', (\d+)")
_BY_CODE = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    403: "the server does not allow access to the requested resource",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be "
    "processing the request",
}


_TEXTS: Final[Mapping[type[Exception], str]] = {
    TimeoutError: "context deadline exceeded",
    aiohttp.ServerDisconnectedError: "EOF",
    aiohttp.ClientPayloadError: "unexpected EOF",
    # its own words hold all that was sent in place of HTTP
    aiohttp.ClientResponseError: (
        "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
    ),
}


def why_not_reached(error: Exception, host: str, port: int) -> str:
    """What has come between: the name, the connection, the certificate, the time."""
    for kind, text in _TEXTS.items():
        if isinstance(error, kind):
            return text
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"tls: {error.os_error}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if isinstance(error.os_error, UnresolvedError):
            return str(error.os_error)
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorError):
        return _connection(error.os_error, host, port)
    if isinstance(error, OSError):
        return _connection(error, host, port)
    return str(error) or type(error).__name__


def _connection(error: OSError, host: str, port: int) -> str:
    found = _ADDRESS.search(str(error))
    address = f"{found[1]}:{found[2]}" if found else f"{host}:{port}"
    why = os.strerror(error.errno).lower() if error.errno else str(error)
    return f"dial tcp {address}: connect: {why}"


def _certificate(error: Exception) -> str:
    why = getattr(error, "verify_message", "") or str(error)
    if isinstance(error, ssl.SSLCertVerificationError) and (
        "issuer" in why or "self-signed" in why or "self signed" in why
    ):
        why = "certificate signed by unknown authority"
    return f"tls: failed to verify certificate: x509: {why}"


def why_refused(code: int, body: bytes) -> str:
    """What an answer other than 200 says: its Status, or what its code is said to mean."""
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        message = from_status({**status, "code": code}).message
        if message:
            return message
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code >= 500:
        shown = quote(body.decode(errors="replace").strip()[:1024])
        return f"an error on the server ({shown}) has prevented the request from succeeding"
    return f"the server responded with the status code {code} but did not return more information"
