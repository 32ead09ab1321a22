"""The token cleaner: deletes bootstrap tokens that are over, each at its end.

Source: kubernetes pkg/controller/bootstrap/tokencleaner.go, v1.35.
"""

from control_plane.api.errors import Conflict, NotFound
from control_plane.api.objects import name_of, uid_of
from control_plane.api.resources import SECRETS
from control_plane.controllers.bootstrap.tokens import NAMESPACE, is_token, seconds_left
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import For

NAME = "token-cleaner-controller"


def token_cleaner(config: ControllersConfig) -> Controller:
    """The controller."""
    del config
    return Controller(NAME, "token-cleaner", reconcile, sources=(For(SECRETS),), workers=1)


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Delete the token if it is over, or come back when it is."""
    secret = cluster.get(SECRETS, key)
    if secret is None or not is_token(secret):
        return DONE
    left = seconds_left(secret, cluster.now())
    if left is None:
        return DONE
    if left > 0:
        return Result(requeue_after=left)
    options = {"preconditions": {"uid": uid_of(secret)}}
    try:
        await cluster.client.delete(SECRETS, name_of(secret), NAMESPACE, options=options)
    except (NotFound, Conflict):
        return DONE
    return DONE
