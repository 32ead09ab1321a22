"""Discovery lists upstream's subresources: api_subresources.txt is the table."""

from pathlib import Path
from typing import Any

from tests.support.raw_api import RawApi

EXPECTED = Path(__file__).with_name("api_subresources.txt")
GPU = "get,patch,update"
# what may be missing
NO_PARENT = {
    "apiservices", "customresourcedefinitions", "resourceclaims", "validatingadmissionpolicies",
}  # fmt: skip
NOT_YET = {"nodes/proxy", "pods/proxy", "services/proxy"}

Row = tuple[str, ...]


def expected(documents: list[Any]) -> set[Row]:
    """The table's rows; a kind that it leaves out is the parent's."""
    parents = {row["name"]: row for document in documents for row in document["resources"]}
    rows = set()
    for line in EXPECTED.read_text().splitlines():
        if line.startswith("#"):
            continue
        parent, name, verbs, *kind = line.split()
        shown = GPU if verbs == "GPU" else verbs
        if parent in NO_PARENT - parents.keys():
            continue
        own = kind[0] if kind else parents[parent]["kind"]
        rows.add((f"{parent}/{name}", shown, own, *kind[1:]))
    return rows


def listed(document: Any) -> set[Row]:
    rows = set()
    for row in document["resources"]:
        if "/" in row["name"]:
            assert row["singularName"] == ""
            where = (f"{row['group']}/{row['version']}",) if "group" in row else ()
            rows.add((row["name"], ",".join(row["verbs"]), row["kind"], *where))
    return rows


def test_subresources_are_upstreams(api: RawApi) -> None:
    groups = api.get("/apis").json["groups"]
    versions = [version["groupVersion"] for group in groups for version in group["versions"]]
    paths = ["/api/v1", *(f"/apis/{version}" for version in versions)]
    documents = [api.get(path).json for path in paths]
    found, wanted = set[Row]().union(*map(listed, documents)), expected(documents)
    assert found <= wanted
    assert {name for name, *_ in wanted - found} <= NOT_YET
