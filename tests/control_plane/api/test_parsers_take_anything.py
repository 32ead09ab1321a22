"""Whatever a client sends, the parsers answer with a value or a ValueError, and values hold."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api import field_selector, label_selector, names, quantity, timestamps

selector_texts = st.text(alphabet="ab/.-_ ,=!()<>\t\0inotä1\\", max_size=30) | st.text()
quantity_texts = st.from_regex(r"[+-]?[0-9.]{0,25}[eEinumkKMGTP]{0,3}[+-]?[0-9]{0,5}") | st.text()


@settings(deadline=None)
@given(selector_texts)
def test_label_selectors(text: str) -> None:
    with contextlib.suppress(ValueError):
        selector = label_selector.parse(text)
        assert label_selector.parse(str(selector)) == selector
        assert isinstance(selector.matches({"a": "1", "b": ""}), bool)


@settings(deadline=None)
@given(selector_texts)
def test_field_selectors(text: str) -> None:
    with contextlib.suppress(ValueError):
        selector = field_selector.parse(text)
        assert field_selector.parse(str(selector)) == selector


@settings(deadline=None)
@given(quantity_texts)
def test_quantities(text: str) -> None:
    with contextlib.suppress(ValueError):
        amount = quantity.parse(text)
        canonical = quantity.canonical(text)
        assert quantity.parse(canonical) == amount
        assert quantity.canonical(canonical) == canonical
        assert abs(quantity.value(text)) >= abs(amount)


@settings(deadline=None)
@given(st.text())
def test_names_and_times(text: str) -> None:
    assert isinstance(names.qualified_name_errors(text) + names.label_value_errors(text), list)
    with contextlib.suppress(ValueError):
        timestamps.parse(text)
