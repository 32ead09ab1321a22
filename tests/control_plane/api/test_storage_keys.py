"""Where objects lie in the store: under the keys of a kube-apiserver v1.35.

storage_keys.txt has upstream's group version, resource and prefix below /registry/, "-" for none.
"""

from pathlib import Path

import pytest

from control_plane.api.resources import RESOURCES, Resource

LINES = Path(__file__).with_name("storage_keys.txt").read_text().splitlines()
UPSTREAM = {tuple(line.split()[:2]): line.split()[2] for line in LINES}
STORED_AS = {
    ("autoscaling/v1", "horizontalpodautoscalers"): ("autoscaling", "v2"),
    ("apiextensions.k8s.io/v1", "customresourcedefinitions"): ("apiextensions.k8s.io", "v1beta1"),
    ("events.k8s.io/v1", "events"): ("", "v1"),
}


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.group_resource}-{row.version}")
def test_a_resource_lies_where_upstream_has_it(row: Resource) -> None:
    prefix = UPSTREAM[(row.api_version, row.plural)]
    assert (row.storage_prefix if row.is_stored else "-") == (
        f"/registry/{prefix}/" if prefix != "-" else "-"
    )


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.group_resource}-{row.version}")
def test_a_resource_is_stored_in_the_version_that_upstream_stores(row: Resource) -> None:
    expected = STORED_AS.get((row.api_version, row.plural), (row.group, row.version))
    assert row.storage_group_version_kind[:2] == expected
