"""What a check has against a pod, and how checks name those who are to blame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from control_plane.api.objects import Object, dig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Violation(NamedTuple):
    """The reason, and the detail that goes into brackets behind it ("" for none)."""

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Pod(NamedTuple):
    """A pod or a template of pods: its annotations and its spec."""

    annotations: Object
    spec: Object

    @property
    def containers(self) -> Iterator[Object]:
        """Its containers: those that come first, the application's, and ephemeral ones."""
        for field in ("initContainers", "containers", "ephemeralContainers"):
            yield from self.spec.get(field) or ()

    @property
    def is_for_windows(self) -> bool:
        """Whether the pod says that it runs on Windows."""
        return bool(dig(self.spec, "os", "name") == "windows")

    @property
    def has_own_users(self) -> bool:
        """Whether the pod runs in a user namespace, where root is nobody outside."""
        return self.spec.get("hostUsers") is False


def names_of(containers: Iterable[Object]) -> list[str]:
    """Return the containers' names."""
    return [container.get("name") or "" for container in containers]


def security(owner: Object, *path: str) -> Any:
    """Return what a container's or pod's securityContext has at `path`; None for nothing."""
    return dig(owner, "securityContext", *path, default=None)


def quoted(texts: Iterable[str]) -> str:
    """Return texts between quotes, joined by commas; upstream escapes nothing here."""
    return ", ".join(f'"{text}"' for text in texts)


def counted(one: str, many: str, things: list[str]) -> str:
    """Return the word for one thing or for several."""
    return one if len(things) == 1 else many


def called(names: list[str]) -> str:
    """Return 'container "a"' or 'containers "a", "b"'."""
    return f"{counted('container', 'containers', names)} {quoted(names)}"


def blamed(names: list[str], *, pod: bool) -> str:
    """Return who set something: 'pod', 'container "a"', or both joined by "and"."""
    return " and ".join([*(["pod"] if pod else []), *([called(names)] if names else [])])
