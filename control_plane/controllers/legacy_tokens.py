"""The legacy-serviceaccount-token-cleaner: tokens without an end that nobody uses come to one.

Such a token was made for its account long ago, the account refers to its secret, and no pod does.
When it has not been used for a period it is marked as invalid, which the API server heeds; when
another period has passed, its secret goes. Source: kubernetes
pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go, v1.35.
"""

import datetime
import logging
from collections.abc import Collection
from enum import Enum, auto
from functools import partial

from control_plane.api.errors import ApiError, Conflict, NotFound
from control_plane.api.legacy_tokens import (
    ACCOUNT_NAME,
    ACCOUNT_UID,
    INVALID_SINCE,
    LAST_USED,
    SECRET_TYPE,
    TRACKING,
)
from control_plane.api.objects import (
    Object,
    annotations_of,
    dig,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    resource_version_of,
    uid_of,
)
from control_plane.api.pod_references import secret_names
from control_plane.api.resources import CONFIGMAPS, PODS, SECRETS, SERVICEACCOUNTS
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import Controller, Loop

NAME = "legacy-serviceaccount-token-cleaner-controller"
PERIOD_SECONDS = 86_400.0
_DAY = datetime.timedelta(days=1)

log = logging.getLogger(__name__)


class Fate(Enum):
    """What becomes of a secret."""

    STAYS = auto()
    BECOMES_INVALID = auto()
    GOES = auto()


def legacy_tokens(config: ControllersConfig) -> Controller:
    """The controller."""
    unused = datetime.timedelta(seconds=config.legacy_service_account_token_clean_up_period)
    return Controller(
        NAME,
        "legacy-service-account-token-cleaner",
        reads=(SECRETS, SERVICEACCOUNTS, PODS),
        loops=(Loop(PERIOD_SECONDS, partial(clean, unused)),),
    )


def fate(
    secret: Object, account: Object | None, mounted: Collection[str], limit: datetime.datetime
) -> Fate:
    """What becomes of a secret whose token nobody has used since `limit`. Pure.

    `mounted` are the secrets that pods of its namespace refer to.
    """
    if not _may_be_unused(secret, limit) or account is None or name_of(secret) in mounted:
        return Fate.STAYS
    if name_of(secret) not in [one.get("name") for one in account.get("secrets") or ()]:
        return Fate.STAYS  # somebody has made it, and may have given it to somebody
    since = labels_of(secret).get(INVALID_SINCE, "")
    if _day(since) is None:
        return Fate.BECOMES_INVALID
    return Fate.STAYS if since >= f"{limit:%Y-%m-%d}" else Fate.GOES


def _may_be_unused(secret: Object, limit: datetime.datetime) -> bool:
    if secret.get("type") != SECRET_TYPE or dig(secret, "metadata", "deletionTimestamp"):
        return False
    if datetime.datetime.fromisoformat(secret["metadata"]["creationTimestamp"]) >= limit:
        return False
    used = labels_of(secret).get(LAST_USED)
    return used is None or (_day(used) is not None and used < f"{limit:%Y-%m-%d}")


def _day(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


async def clean(unused: datetime.timedelta, cluster: Cluster) -> None:
    """Mark or delete what has not been used for so long, once uses have been noted that long."""
    now = cluster.now()
    since = await _tracked_since(cluster)
    if since is None or now < since + _DAY + unused:
        return
    mounted: dict[str, set[str]] = {}
    for secret in cluster.list(SECRETS):
        if not _may_be_unused(secret, now - unused):
            continue
        namespace = namespace_of(secret)
        if namespace not in mounted:
            pods = cluster.list(PODS, namespace)
            mounted[namespace] = {name for pod in pods for name in secret_names(pod)}
        what = fate(secret, _account_of(secret, cluster), mounted[namespace], now - unused)
        await _carry_out(what, secret, f"{now:%Y-%m-%d}", cluster)


async def _tracked_since(cluster: Cluster) -> datetime.datetime | None:
    try:
        tracking = await cluster.client.get(CONFIGMAPS, TRACKING, "kube-system")
    except NotFound:
        return None  # the API server begins to note uses: this is for another day
    since = _day(dig(tracking, "data", "since", default=""))
    if since is None:
        log.error("legacy_tokens_not_cleaned: ConfigMap kube-system/%s has no day", TRACKING)
    return since


def _account_of(secret: Object, cluster: Cluster) -> Object | None:
    """The account that a secret is for, if it is that very one."""
    noted = annotations_of(secret)
    account = cluster.get(SERVICEACCOUNTS, f"{namespace_of(secret)}/{noted.get(ACCOUNT_NAME, '')}")
    uid = noted.get(ACCOUNT_UID, "")
    return account if account is not None and uid in ("", uid_of(account)) else None


async def _carry_out(what: Fate, secret: Object, today: str, cluster: Cluster) -> None:
    if what is Fate.STAYS:
        return
    log.info("legacy_token key=%s fate=%s", key_of(secret), what.name.lower())
    name, namespace = name_of(secret), namespace_of(secret)
    try:
        if what is Fate.BECOMES_INVALID:
            marked = {"metadata": {"uid": uid_of(secret), "labels": {INVALID_SINCE: today}}}
            await cluster.client.patch(SECRETS, name, marked, namespace)
        else:
            options = {"preconditions": {"resourceVersion": resource_version_of(secret)}}
            await cluster.client.delete(SECRETS, name, namespace, options=options)
    except (Conflict, NotFound):
        return  # it is in use, or gone: the next round sees
    except ApiError as error:
        log.error("legacy_token_kept key=%s: %s", key_of(secret), error)
