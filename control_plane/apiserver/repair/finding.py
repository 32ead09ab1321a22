"""What a repair has found: something to tell about an object, and maybe something to do."""

from dataclasses import dataclass
from enum import Enum

from control_plane.api.objects import Object
from control_plane.apiserver.allocation.cluster_ips import Owner


class Remedy(Enum):
    """What is to be done with an IPAddress object."""

    NOTHING = "nothing"
    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` is the service or the IPAddress that the event is of; no `reason`, no event.

    `address` is the object that `remedy` is for, `owner` whose it is to be.
    """

    about: Object
    reason: str = ""
    message: str = ""
    address: str = ""
    remedy: Remedy = Remedy.NOTHING
    owner: Owner | None = None
