"""The cleaner: signing requests go when nobody needs them any more.

Source: kubernetes pkg/controller/certificates/cleaner, v1.35.
"""

import base64
import datetime
from collections.abc import Mapping

from cryptography import x509

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, dig, name_of
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.controllers.certificates.conditions import certificate_of, condition_of
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import Controller, Loop

NAME = "certificatesigningrequest-cleaner-controller"
PERIOD_SECONDS = 3600.0
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
# after a condition came
AFTER: Mapping[str, datetime.timedelta] = {"Denied": HOUR, "Failed": HOUR}


def cleaning(config: ControllersConfig) -> Controller:
    """The controller."""
    del config
    return Controller(
        NAME,
        "certificate-controller",
        reads=(CERTIFICATESIGNINGREQUESTS,),
        loops=(Loop(PERIOD_SECONDS, clean),),
    )


def is_done(request: Object, now: datetime.datetime) -> bool:
    """Whether the request may go. Pure."""
    if _has_expired(request, now):
        return True
    approved = condition_of(request, "Approved")
    if approved is not None:
        limit = HOUR if certificate_of(request) else DAY
        return _is_older(approved, limit, now) or _is_over(request, now)
    return _is_over(request, now) or _is_forgotten(request, now)


def _is_over(request: Object, now: datetime.datetime) -> bool:
    """Whether it was denied or has failed, long enough ago."""
    conditions = ((condition_of(request, kind), limit) for kind, limit in AFTER.items())
    return any(found is not None and _is_older(found, limit, now) for found, limit in conditions)


def _is_forgotten(request: Object, now: datetime.datetime) -> bool:
    """Whether nobody has decided for a day."""
    if dig(request, "status", "conditions", default=[]):
        return False
    return now - _time(request["metadata"].get("creationTimestamp")) > DAY


def _is_older(condition: Object, limit: datetime.timedelta, now: datetime.datetime) -> bool:
    return now - _time(condition.get("lastUpdateTime")) > limit


def _has_expired(request: Object, now: datetime.datetime) -> bool:
    encoded = certificate_of(request)
    if not encoded:
        return False
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    except ValueError:
        return False
    return now > certificate.not_valid_after_utc


def _time(text: str | None) -> datetime.datetime:
    """A time of the API; the beginning of time for none, as upstream's zero."""
    if not text:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
    return datetime.datetime.fromisoformat(text)


async def clean(cluster: Cluster) -> None:
    """Delete what is done with."""
    for request in cluster.list(CERTIFICATESIGNINGREQUESTS):
        if is_done(request, cluster.now()):
            try:
                await cluster.client.delete(CERTIFICATESIGNINGREQUESTS, name_of(request))
            except NotFound:
                continue
