"""The bootstrap signer: signs kube-public/cluster-info with each token that may sign.

    data.kubeconfig             what is signed
    data.jws-kubeconfig-abcdef  a detached JWS of it, by the token abcdef

Who has the token then knows that the cluster's CA is the right one.
Source: kubernetes pkg/controller/bootstrap/bootstrapsigner.go, v1.35.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

import orjson

from control_plane.api.objects import Object, deep_copy, key_of
from control_plane.api.resources import CONFIGMAPS, SECRETS
from control_plane.controllers.bootstrap.tokens import (
    NAMESPACE,
    SigningToken,
    is_token,
    seconds_left,
    signing_token,
)
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, Watches

NAME = "bootstrap-signer-controller"
KEY = "kube-public/cluster-info"
SIGNED, SIGNATURE = "kubeconfig", "jws-kubeconfig-"


def bootstrap_signer(config: ControllersConfig) -> Controller:
    """The controller."""
    del config
    sources = (Watches(CONFIGMAPS, key_of_info), Watches(SECRETS, key_for_token))
    return Controller(NAME, "bootstrap-signer", reconcile, sources=sources, workers=1)


def key_of_info(_cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the one key, for a change of cluster-info."""
    return (KEY,) if key_of(change.latest) == KEY else ()


def key_for_token(_cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the one key, for a change of a token."""
    return (KEY,) if is_token(change.latest) else ()


def signature(content: str, token: SigningToken) -> str:
    """A detached JWS with HS256: header, nothing, signature. Source: RFC 7515, appendix F."""
    header = _encoded(orjson.dumps({"alg": "HS256", "kid": token.token_id}))
    signed = f"{header}.{_encoded(content.encode())}"
    mac = hmac.digest(token.secret.encode(), signed.encode(), hashlib.sha256)
    return f"{header}..{_encoded(mac)}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def plan(info: Object, tokens: Iterable[SigningToken]) -> Object | None:
    """The ConfigMap with the signatures of these tokens alone; None when it has them. Pure."""
    data = info.get("data") or {}
    content = data.get(SIGNED)
    if not content:
        return None
    wanted = {key: value for key, value in data.items() if not key.startswith(SIGNATURE)}
    wanted |= {f"{SIGNATURE}{one.token_id}": signature(content, one) for one in tokens}
    if wanted == data:
        return None
    changed = deep_copy(info)
    changed["data"] = wanted
    return changed


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Sign with the tokens there are; come back when the next one ends."""
    info = cluster.get(CONFIGMAPS, key)
    if info is None:
        return DONE
    now, secrets = cluster.now(), cluster.list(SECRETS, NAMESPACE)
    tokens = [found for one in secrets if (found := signing_token(one, now)) is not None]
    changed = plan(info, tokens)
    if changed is not None:
        await cluster.client.update(CONFIGMAPS, changed)
    ends = [seconds_left(one, now) for one in secrets if is_token(one)]
    return Result(requeue_after=min((left for left in ends if left and left > 0), default=None))
