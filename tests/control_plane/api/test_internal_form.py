"""Objects in the internal form, as errors about a whole pod or claim print them."""

import difflib
import importlib.resources

import orjson

from control_plane.api.field_error import invalid
from control_plane.api.go_syntax import to_json
from control_plane.api.internal_difference import MOST_LINES, difference
from control_plane.api.internal_form import internal_form
from tests.control_plane.api.valid_objects import Obj

POD = {"containers": [{"name": "c", "image": "i"}], "hostNetwork": True}


def test_absent_members_have_their_zero_and_the_order_is_the_structs() -> None:
    assert list(internal_form("Toleration", {"operator": "Exists", "key": "k"}).items()) == [
        ("Key", "k"), ("Operator", "Exists"), ("Value", ""), ("Effect", ""),
        ("TolerationSeconds", None),
    ]  # fmt: skip
    assert internal_form("Container", {})["Resources"] == {
        "Limits": None, "Requests": None, "Claims": None,
    }  # fmt: skip


def test_an_error_prints_a_struct_of_strings_in_its_order() -> None:
    shown = internal_form("SeccompProfile", {"localhostProfile": "p", "type": "Localhost"})
    assert str(invalid("a", shown, "no")) == (
        'a: Invalid value: {"Type":"Localhost","LocalhostProfile":"p"}: no'
    )


def test_what_pods_share_with_the_host_is_part_of_their_security() -> None:
    form = internal_form("PodSpec", POD)
    assert "HostNetwork" not in form
    assert form["SecurityContext"]["HostNetwork"] is True
    assert internal_form("PodSpec", {})["SecurityContext"]["HostNetwork"] is False


def test_metadata_of_a_template_stands_beside_its_spec() -> None:
    template = {"metadata": {"labels": {"a": "b"}, "name": "t"}, "spec": POD}
    assert list(internal_form("PodTemplateSpec", template)) == ["name", "labels", "Spec"]


def test_a_difference_is_hunks_of_lines() -> None:
    changed = {**POD, "containers": [{"name": "c", "image": "<i>"}]}
    assert difference("PodSpec", POD, POD) == ""
    assert difference("PodSpec", POD, changed) == (
        '@@ -4,7 +4,7 @@\n  "Containers": [\n   {\n    "Name": "c",\n'
        '-   "Image": "i",\n+   "Image": "\\u003ci\\u003e",\n'
        '    "Command": null,\n    "Args": null,\n    "WorkingDir": "",\n'
    )


def with_variables(*values: str) -> Obj:
    env = [{"name": "A", "value": value} for value in values]
    return {"containers": [{"name": "c", "env": env}]}


def test_hunks_are_those_of_a_unified_difference() -> None:
    values = list("abcdefghijklmnop")
    old, new = with_variables(*values), with_variables("A", *values[1:9], *values[10:], "q")
    before, after = (
        to_json(internal_form("PodSpec", spec), indent=1).split("\n") for spec in (old, new)
    )
    expected = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    assert sum(line.startswith("@@") for line in expected) == 3
    assert difference("PodSpec", old, new).splitlines() == expected


def test_a_long_object_has_one_hunk_of_limited_length() -> None:
    same = ["x"] * MOST_LINES
    old, new = with_variables("a", *same), with_variables("b", *same, "c")
    told = difference("PodSpec", old, new).splitlines()
    assert told[:5] == [
        "@@ -13,5007 +13,5012 @@", '    "Env": [', "     {", '      "Name": "A",',
        '-     "Value": "a",',
    ]  # fmt: skip
    assert [sum(line.startswith(sign) for line in told) for sign in "-+"] == [MOST_LINES] * 2
    assert told[-3:] == ['      "ValueFrom": null', "     }", "    ],"]
    assert difference("PodSpec", old, old) == ""


def test_every_struct_that_a_member_names_is_there() -> None:
    file = importlib.resources.files("control_plane.api") / "internal_types.json"
    structs = orjson.loads(file.read_bytes())
    below = {struct for members in structs.values() for *_, struct in members}
    assert below - {""} <= structs.keys()
