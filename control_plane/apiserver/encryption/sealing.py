"""Which key seals a value, and which may open it: the providers of one stored type in order.

The first provider's first key writes; every provider and key reads what begins with its name:

    k8s:enc:aescbc:v1:key1:<what the cipher made>

What was read with any but the writing key is stale, and is sealed anew at the next write. Pure.
Source: the prefix transformers of Kubernetes (apiserver/pkg/storage/value).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from control_plane.apiserver.encryption.ciphers import Cipher
from control_plane.apiserver.storage.stored_object import (
    ENCRYPTED,
    READ_AS_PLAIN,
    UndecryptableError,
)

NO_PREFIX = "no matching prefix found"


class Opened(NamedTuple):
    """A value as it was before it was sealed, and whether it would be sealed otherwise today."""

    plain: bytes
    is_stale: bool


class Provider(Protocol):
    """One provider of a configuration; `prefix` begins all that it has sealed."""

    prefix: bytes

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """The bytes to store, prefix and all."""
        ...

    def open(self, value: bytes, place: bytes) -> Opened:
        """The plain bytes; raises UndecryptableError."""
        ...


class Identity:
    """Values as they are; what somebody has encrypted is not taken for one."""

    prefix = b""

    def seal(self, plain: bytes, _place: bytes) -> bytes:
        """The value itself."""
        return plain

    def open(self, value: bytes, _place: bytes) -> Opened:
        """The value itself; raises UndecryptableError if it is encrypted."""
        if value.startswith(ENCRYPTED):
            raise UndecryptableError(READ_AS_PLAIN)
        return Opened(value, is_stale=False)


class Keyed:
    """An algorithm with keys: the first one writes, all of them read what bears their name."""

    def __init__(self, algorithm: str, keys: Sequence[tuple[str, Cipher]], no_key: str) -> None:
        """`keys` are not empty; `no_key` is said where none of them has the value's name."""
        self.prefix = ENCRYPTED + f"{algorithm}:v1:".encode()
        self._keys = [(self.prefix + f"{name}:".encode(), cipher) for name, cipher in keys]
        self._no_key = no_key

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Encrypt with the first key."""
        prefix, cipher = self._keys[0]
        return prefix + cipher.seal(plain, place)

    def open(self, value: bytes, place: bytes) -> Opened:
        """Decrypt with the first key of the value's name that can."""
        errors = []
        for position, (prefix, cipher) in enumerate(self._keys):
            if value.startswith(prefix):
                try:
                    return Opened(cipher.open(value[len(prefix) :], place), position > 0)
                except UndecryptableError as error:
                    errors.append(str(error))
        raise UndecryptableError(_summed_up(errors) or self._no_key)


class Chain:
    """The providers of a stored type; the first one writes."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        """`providers` are not empty."""
        self._providers = providers

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """The bytes to store under the key `place`."""
        return self._providers[0].seal(plain, place)

    def open(self, value: bytes, place: bytes) -> Opened:
        """Read with the first provider that can; raises UndecryptableError.

        An error of identity counts only where nobody else has anything to say.
        """
        errors = []
        for position, provider in enumerate(self._providers):
            if not value.startswith(provider.prefix):
                continue
            try:
                plain, is_stale = provider.open(value, place)
            except UndecryptableError as error:
                if provider.prefix:
                    errors.append(str(error))
                continue
            return Opened(plain, is_stale or position > 0)
        raise UndecryptableError(_summed_up(errors) or NO_PREFIX)


PLAIN = Identity()


def _summed_up(errors: Sequence[str]) -> str:
    """Several errors as one text, each said once."""
    texts = list(dict.fromkeys(errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""
