"""A front proxy says for whom it asks: --requestheader-*, believed by its client certificate.

Source: the request header authenticator of Kubernetes v1.35.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from control_plane.apiserver.auth.user import User, authenticated


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """Whose proxies are believed, and the headers they use, first come first, in any case.

    No `allowed_names` allow every certificate of the authority.
    """

    authority: Path
    allowed_names: tuple[str, ...] = ()
    username: tuple[str, ...] = ("X-Remote-User",)
    uid: tuple[str, ...] = ("X-Remote-Uid",)
    group: tuple[str, ...] = ("X-Remote-Group",)
    extra_prefix: tuple[str, ...] = ("X-Remote-Extra-",)

    def user(self, lines: Sequence[tuple[bytes, bytes]]) -> User | None:
        """The user whom the headers name; None when they name none."""
        texts = [
            (name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in lines
        ]
        username = _first(texts, self.username)
        if not username:
            return None
        groups = tuple(
            value
            for header in _lowered(self.group)
            for name, value in texts
            if name == header and value
        )
        return authenticated(username, groups, _first(texts, self.uid), self._extra(texts))

    def _extra(self, texts: Sequence[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
        extra: dict[str, tuple[str, ...]] = {}
        for prefix in _lowered(self.extra_prefix):
            for name, value in texts:
                if name.startswith(prefix):
                    raw = unquote_to_bytes(name.removeprefix(prefix))
                    key = raw.decode("utf-8", "replace").lower()
                    extra[key] = (*extra.get(key, ()), value)
        return extra


def _first(texts: Sequence[tuple[str, str]], headers: Sequence[str]) -> str:
    wanted = _lowered(headers)
    return next((v for header in wanted for name, v in texts if name == header and v), "")


def _lowered(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]
