"""One write as the registry sees it: who, how, and where warnings go."""

from collections.abc import Callable
from dataclasses import dataclass, field

from control_plane.api.objects import Object
from control_plane.apiserver.auth.user import User


@dataclass(frozen=True, slots=True)
class Call:
    """`dry_run` does everything but write. `warn` adds a Warning header to the answer.

    `field_manager` comes to own what is written; `force` lets an apply take what others own.
    `options` are the request's own, as a CreateOptions or UpdateOptions has them, without its
    kind. `annotate` puts a key and a value into the request's audit event.
    """

    user: User
    dry_run: bool = False
    field_validation: str = "Warn"
    field_manager: str = ""
    force: bool = False
    warn: Callable[[str], None] = field(default=lambda _text: None)
    options: Object = field(default_factory=dict)
    annotate: Callable[[str, str], None] = field(default=lambda _key, _value: None)
