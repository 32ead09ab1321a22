"""Who this server says it is when it calls webhooks: users of a kubeconfig, named for hosts.

A user is named `host`, `host:port`, `*.rest.of.host` or `*`; the nearest counts, and what is
called without one gets neither a certificate nor a token. Source: the authentication of webhooks of
apiserver v1.35.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from control_plane.client.config import ClientConfig, users_of

HTTPS = 443


class Credentials:
    """The users of a kubeconfig by their names."""

    def __init__(self, users: Mapping[str, ClientConfig] | None = None) -> None:
        """Without users, webhooks are called by nobody in particular."""
        self._users = dict(users or {})

    @classmethod
    def read(cls, path: Path) -> "Credentials":
        """Read a kubeconfig; raises its ConfigError."""
        users = users_of(path)
        for user in users.values():
            user.ssl_context()
        return cls(users)

    def for_host(self, host: str, port: int) -> ClientConfig | None:
        """Who calls a webhook there; None for nobody in particular."""
        if not self._users:
            return None
        names = (name for name in _names(host, port) if name in self._users)
        name = next(names, None)
        return None if name is None else self._users[name]


def _names(host: str, port: int) -> Iterator[str]:
    targets = (f"{host}:{port}", host) if port == HTTPS else (f"{host}:{port}",)
    for target in targets:
        yield target
        labels = target.split(".")
        for index in range(1, len(labels)):
            yield f"*.{'.'.join(labels[index:])}"
    yield "*"
