"""The encryption of every stored type, and its change while the server runs.

A type's `Sealing` lives as long as the server; what it seals with changes under it when the file
is read again. Who could not open something is told then, and tries again.
"""

import weakref
from collections.abc import Callable, Sequence

from control_plane.api.resources import EVENTS, Resource
from control_plane.apiserver.encryption.configuration import Rule
from control_plane.apiserver.encryption.resource_names import matches
from control_plane.apiserver.encryption.sealing import PLAIN, Chain, Identity, Opened

StoredType = tuple[str, str]  # its group and plural


class Sealing:
    """What seals and opens the values of one stored type."""

    def __init__(self, chain: Chain | Identity) -> None:
        """Use `chain` until told otherwise."""
        self._chain = chain
        self._observers: list[weakref.WeakMethod[Callable[[], None]]] = []

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """The bytes to store under the key `place`."""
        return self._chain.seal(plain, place)

    def open(self, value: bytes, place: bytes) -> Opened:
        """The plain bytes of what lies under `place`; raises UndecryptableError."""
        return self._chain.open(value, place)

    def observe(self, changed: Callable[[], None]) -> None:
        """Call `changed`, a method, whenever other keys are used and its object is still there."""
        self._observers = [one for one in self._observers if one() is not None]
        self._observers.append(weakref.WeakMethod(changed))

    def adopt(self, chain: Chain | Identity) -> None:
        """Use `chain` from now on."""
        self._chain = chain
        for reference in self._observers:
            if (changed := reference()) is not None:
                changed()


class Encryption:
    """The rules of a configuration, asked for each stored type."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Seal by these."""
        self._rules = rules
        self._sealings: dict[StoredType, Sealing] = {}

    def sealing(self, resource: Resource) -> Sealing:
        """What seals a type; the same for all its versions."""
        stored = _stored_type(resource)
        if stored not in self._sealings:
            self._sealings[stored] = Sealing(self._chain(stored))
        return self._sealings[stored]

    def adopt(self, rules: Sequence[Rule]) -> None:
        """Seal by other rules from now on."""
        self._rules = rules
        for stored, sealing in self._sealings.items():
            sealing.adopt(self._chain(stored))

    def _chain(self, stored: StoredType) -> Chain | Identity:
        """The first rule's that means the type; values as they are where none does."""
        for rule in self._rules:
            if any(matches(name, *stored) for name in rule.names):
                return rule.chain
        return PLAIN


def _stored_type(resource: Resource) -> StoredType:
    """Events are stored as those of the core group, whichever API they come by."""
    if resource.storage_prefix == EVENTS.storage_prefix:
        return EVENTS.group, EVENTS.plural
    return resource.group, resource.plural
