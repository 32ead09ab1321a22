"""Writes docs/reference/kubernetes-api.md from the table of resources: `make flags`.

What a kind's row and the parameters of its verbs say is what the server serves, and what OpenAPI
and discovery tell clients. Where ours is not upstream's is in docs/compatibility.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from control_plane.api.openapi import parameters
from control_plane.api.openapi.parameters import Parameter
from control_plane.api.resource import ALL, Resource, Subresource
from control_plane.api.resources import RESOURCES

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "kubernetes-api.md"
HEAD = """# The Kubernetes API, resource by resource

Written by `make flags` from the tables that the server serves by. Every row is as in Kubernetes
v1.35, whose list of resources, verbs and subresources a test compares; what is missing or different
is in [compatibility](../compatibility.md).

*all* verbs are create, get, list, watch, update, patch, delete and deletecollection. A subresource
has get, update and patch unless it says otherwise.
"""
PARAMETERS: Sequence[tuple[str, Sequence[Parameter]]] = (
    ("every request", (parameters.PRETTY,)),
    ("create, update", parameters.WRITE),
    ("patch", parameters.PATCH),
    ("list, watch", parameters.LIST),
    ("delete", parameters.DELETE),
    ("deletecollection", parameters.DELETE_COLLECTION),
    ("log", parameters.LOG),
    ("exec", parameters.EXEC),
    ("attach", parameters.ATTACH),
    ("portforward", parameters.PORTFORWARD),
    ("proxy", parameters.PROXY),
)
REST_OF_PARAMETERS = """
`timeout` bounds any request that is no stream, a minute at most. Parameters of features that are
off by default in v1.35 are ignored, as upstream does: `stream` of log,
`ignoreStoreReadErrorWithClusterBreakingPotential` of delete.
"""
FORMATS = """
## Formats

| | JSON | YAML | protobuf | CBOR |
|---|---|---|---|---|
| bodies | yes | yes | yes | no: 415, as upstream with its feature gate off |
| answers, Status | yes | yes | yes | no: 406, as upstream with its feature gate off |
| watches | yes | no: 406, as upstream | yes | no: 406 |
| `as=PartialObjectMetadata`, `as=PartialObjectMetadataList` | yes | yes | yes | no: 406 |
| `as=Table` | yes | yes | no: 406 | no: 406 |
| JSON patch, merge patch, strategic merge patch | yes | no: 415 | no: 415 | no: 415 |
| apply patch | yes | yes | no: 415 | no: 415 |
| discovery, also aggregated (`apidiscovery.k8s.io/v2`) | yes | yes | yes | no: 406 |
| `/openapi/v2` | yes | no: 406, as upstream | yes | no: 406 |
| `/openapi/v3/...` (its index is JSON) | yes | no: 406, as upstream | yes | no: 406 |
"""


def page() -> str:
    """Return the text of the page."""
    return f"{HEAD}{_resources()}\n{_parameters()}{REST_OF_PARAMETERS}{FORMATS}"


def _resources() -> str:
    rows = sorted(RESOURCES, key=lambda row: (row.group, row.version, row.plural))
    columns = "| resource | kind | of | verbs | subresources |\n|---|---|---|---|---|\n"
    return "".join(
        f"\n## {version}\n\n{columns}" + "".join(map(_row, members))
        for version, members in groupby(rows, key=lambda row: row.api_version)
    )


def _row(resource: Resource) -> str:
    cells = (
        resource.plural,
        resource.kind,
        "a namespace" if resource.namespaced else "the cluster",
        "all" if set(resource.verbs) == set(ALL) else ", ".join(sorted(resource.verbs)),
        ", ".join(map(_subresource, resource.subresources)) or "none",
    )
    return f"| {' | '.join(cells)} |\n"


def _subresource(subresource: Subresource) -> str:
    usual = set(subresource.verbs) == {"get", "patch", "update"}
    return subresource.name + ("" if usual else f" ({', '.join(sorted(subresource.verbs))})")


def _parameters() -> str:
    head = "## Parameters\n\n| of | parameter | |\n|---|---|---|\n"
    return head + "".join(_parameter_rows())


def _parameter_rows() -> Iterator[str]:
    for verbs, known in PARAMETERS:
        yield from _rows_of(verbs, known)


def _rows_of(verbs: str, known: Iterable[Parameter]) -> Iterator[str]:
    for parameter in sorted(known, key=lambda one: one.name):
        yield f"| {verbs} | `{parameter.name}` | {parameter.description} |\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
