"""The informer's memory: objects by key, and by the values of any number of indexes.

Used by informer.py only. Objects are kept by reference. All calls are O(1) per object and value.
"""

from collections.abc import Callable, Iterable

from control_plane.api.objects import Object, key_of, namespace_of

IndexFunction = Callable[[Object], Iterable[str]]

_NAMESPACE = "namespace"


class ObjectStore:
    """Objects of one resource, at most one per key."""

    def __init__(self) -> None:
        """Start empty, with the one index that namespaced listing needs."""
        self._objects: dict[str, Object] = {}
        self._functions: dict[str, IndexFunction] = {}
        self._indexes: dict[str, dict[str, dict[str, Object]]] = {}
        self.add_index(_NAMESPACE, lambda obj: (namespace_of(obj),))

    def get(self, key: str) -> Object | None:
        """Return the object of `key`, or None."""
        return self._objects.get(key)

    def objects(self, namespace: str | None = None) -> list[Object]:
        """Return the objects of one namespace, or of all for None."""
        if namespace is None:
            return list(self._objects.values())
        return self.by_index(_NAMESPACE, namespace)

    def by_index(self, name: str, value: str) -> list[Object]:
        """Return what index `name` files under `value`; raises KeyError for an unknown name."""
        return list(self._indexes[name].get(value, {}).values())

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Begin index `name` over present and future objects, unless there is one."""
        if name in self._functions:
            return
        self._functions[name] = function
        self._indexes[name] = {}
        for key, obj in self._objects.items():
            self._file(name, key, obj)

    def put(self, obj: Object) -> None:
        """Store `obj` in place of what has its key."""
        key = key_of(obj)
        self.remove(key)
        self._objects[key] = obj
        for name in self._functions:
            self._file(name, key, obj)

    def remove(self, key: str) -> None:
        """Forget `key`, if it is known."""
        old = self._objects.pop(key, None)
        if old is None:
            return
        for name, function in self._functions.items():
            for value in function(old):
                self._unfile(name, value, key)

    def _file(self, name: str, key: str, obj: Object) -> None:
        for value in self._functions[name](obj):
            self._indexes[name].setdefault(value, {})[key] = obj

    def _unfile(self, name: str, value: str, key: str) -> None:
        filed = self._indexes[name].get(value, {})
        filed.pop(key, None)
        if not filed:
            self._indexes[name].pop(value, None)
