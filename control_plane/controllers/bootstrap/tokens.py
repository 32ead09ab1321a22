"""A bootstrap token as its Secret has it. Pure. Source: kubernetes pkg/bootstrap/token, v1.35."""

import base64
import binascii
import datetime
import re
from dataclasses import dataclass

from control_plane.api.objects import Object, is_terminating, name_of, namespace_of

NAMESPACE, PREFIX = "kube-system", "bootstrap-token-"
SECRET_TYPE = "bootstrap.kubernetes.io/token"
_ID, _SECRET = re.compile(r"[a-z0-9]{6}"), re.compile(r"[a-z0-9]{16}")


@dataclass(frozen=True, slots=True)
class SigningToken:
    """A token that signs cluster-info."""

    token_id: str
    secret: str


def is_token(secret: Object) -> bool:
    """Whether the Secret is that of a bootstrap token, be it a good one or not."""
    return secret.get("type") == SECRET_TYPE and namespace_of(secret) == NAMESPACE


def text_of(secret: Object, key: str) -> str:
    """A value of the Secret as text, "" where there is none that is text."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(key, "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def seconds_left(secret: Object, now: datetime.datetime) -> float | None:
    """How long the token is good, 0 or less when it is over; None for ever.

    An expiration that cannot be read is one that is over.
    """
    text = text_of(secret, "expiration")
    if not text:
        return None
    try:
        ends = datetime.datetime.fromisoformat(text)
        return (ends - now).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def signing_token(secret: Object, now: datetime.datetime) -> SigningToken | None:
    """The token if it may sign now."""
    if not is_token(secret) or is_terminating(secret):
        return None
    token_id, value = text_of(secret, "token-id"), text_of(secret, "token-secret")
    if not (_ID.fullmatch(token_id) and _SECRET.fullmatch(value)):
        return None
    left = seconds_left(secret, now)
    is_good = name_of(secret) == PREFIX + token_id and (left is None or left > 0)
    may_sign = text_of(secret, "usage-bootstrap-signing") == "true"
    return SigningToken(token_id, value) if is_good and may_sign else None
