"""How an EncryptionConfiguration names resources: `secrets`, `foos.example.org`, `*.apps`, `*.*`.

`*.` is the core group. Pure. Source: the validation of Kubernetes v1.35 and its texts.
"""

from collections.abc import Iterator, Sequence

from control_plane.api.field_error import FieldError, invalid

ALL, CORE = "*.*", "*."
CAPITALS = "resource name should not contain capital letters"
STAR = "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"
NOT_SERVED = "resources which do not have REST API/s cannot be encrypted"
EVENTS = (
    "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. "
    "Use 'events' instead in the config file"
)
EXTENSIONS = "'extensions' group has been removed and cannot be used for encryption"
ACROSS = "encrypting the same resource across groups is not supported"
TWICE = "the same resource cannot be specified multiple times"
OVERLAP = (
    "using overlapping resources such as 'secrets' and '*.' in the same resource list is not "
    "allowed as they will be masked"
)
_INTERNAL = ("apiserveripinfo", "serviceipallocations", "servicenodeportallocations")


def matches(name: str, group: str, plural: str) -> bool:
    """Whether a name of a configuration means the resource."""
    if name == ALL:
        return True
    wanted, _, wanted_group = name.partition(".")
    return wanted_group == group and wanted in ("*", plural)


def names_errors(names: Sequence[str], path: str) -> Iterator[FieldError]:
    """Say what is wrong with the names of one list."""
    if len(set(names)) < len(names):
        yield invalid(path, list(names), TWICE)
    elif any(_is_masked(name, names) for name in names):
        yield invalid(path, list(names), OVERLAP)
    for index, name in enumerate(names):
        objection = _objection(name)
        if objection:
            yield invalid(f"{path}[{index}]", name, objection)


def _is_masked(name: str, names: Sequence[str]) -> bool:
    """Whether another name of the list means all that this one means."""
    group = name.partition(".")[2]
    wider = {ALL, f"*.{group}"} - {name}
    return any(other in wider for other in names)


def _objection(name: str) -> str:
    plural, _, group = name.partition(".")
    if name != name.lower():
        return CAPITALS
    if name == "*":
        return STAR
    if plural in _INTERNAL:
        return NOT_SERVED
    if group == "events.k8s.io":
        return EVENTS
    if group == "extensions":
        return EXTENSIONS
    return ACROSS if group == "*" and plural != "*" else ""
