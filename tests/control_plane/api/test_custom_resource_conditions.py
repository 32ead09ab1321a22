"""Conditions of CustomResourceDefinitions that the API server's own writes do not bring about."""

from typing import Any

from control_plane.api.custom.conditions import Taken, has_its_names, with_names

NOBODY = Taken(frozenset(), frozenset())
Object = dict[str, Any]


def conditions(definition: Object) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message by type."""
    found = definition["status"]["conditions"]
    return {one["type"]: (one["status"], one["reason"], one["message"]) for one in found}


def definition(**spec: Any) -> Object:
    names = {"plural": "widgets", "kind": "Widget"}
    base = {"group": "example.com", "names": names, **spec}
    return {"metadata": {"name": "widgets.example.com"}, "spec": base, "status": {}}


def test_one_that_preserves_unknown_fields_is_not_structural_until_it_does_not() -> None:
    found = with_names(definition(preserveUnknownFields=True), NOBODY, "now")
    assert conditions(found)["NonStructuralSchema"] == (
        "True", "Violations", "spec.preserveUnknownFields: Invalid value: true: must be false",
    )  # fmt: skip
    assert has_its_names(found)
    found["spec"]["preserveUnknownFields"] = False
    assert not has_its_names(found), "there is something to do"
    mended = with_names(found, NOBODY, "later")
    assert conditions(mended).keys() == {"NamesAccepted", "Established"}
    assert has_its_names(mended)


def test_one_whose_webhook_has_a_bundle_of_no_use_is_not_established() -> None:
    webhook = {"clientConfig": {"url": "https://x/y", "caBundle": "bm8="}}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    found = with_names(definition(conversion=conversion), NOBODY, "now")
    assert conditions(found)["Established"] == (
        "False", "InvalidCABundle", "The conversion webhook CABundle is invalid",
    )  # fmt: skip
    del webhook["clientConfig"]["caBundle"]
    assert has_its_names(with_names(found, NOBODY, "later"))
