"""Quantities: read, rounded and written as kubectl's own quantity code does."""

import json
import subprocess
import sys
from decimal import ROUND_UP, Context, Decimal
from pathlib import Path

import pytest

from control_plane.api import quantity

KUBECTL = Path(sys.executable).with_name("kubectl")

NUMBERS = [
    "0", "1", "5", "10", "99", "100", "0900", "999", "1000", "1023", "1024", "1025", "1536",
    "2048", "1048576", "0.5", ".5", "1.", "1.5", "7.50", "3.0", "0.1", "0.001", "0.0001", "100.1",
    "123456789", "1000000", "00012", "-0", "-1", "-1.5", "+3", "1.2345678901234", "0.0000000001",
    "9007199254740993", "999999999999999999", "12345678901234567890",
]  # fmt: skip
SUFFIXES = [
    "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
    "e3", "E3", "e-3", "e0", "e1", "e2", "e5", "e9", "E-9",
]  # fmt: skip
# Beyond 10^21 upstream's writer loses the suffix; ours does not.
WRITTEN_WRONG_UPSTREAM = {"1000E", "1000000P", "1000000E"}


def as_kubectl_writes(texts: list[str]) -> list[str]:
    hard = ",".join(f"x{index}={text}" for index, text in enumerate(texts))
    answer = subprocess.run(
        [KUBECTL, "create", "quota", "q", f"--hard={hard}", "--dry-run=client", "-o", "json"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    written = json.loads(answer.stdout)["spec"]["hard"]
    return [written[f"x{index}"] for index in range(len(texts))]


def test_the_canonical_form_is_kubectls() -> None:
    texts = [n + s for n in NUMBERS for s in SUFFIXES if n + s not in WRITTEN_WRONG_UPSTREAM]
    ours = dict(zip(texts, map(quantity.canonical, texts), strict=True))
    assert ours == dict(zip(texts, as_kubectl_writes(texts), strict=True))


@pytest.mark.parametrize(
    ("text", "canonical", "value", "milli"),
    [
        ("0.5", "500m", 1, 500),
        ("1500m", "1500m", 2, 1500),
        ("1024Mi", "1Gi", 1 << 30, 1000 << 30),
        ("0.1Ki", "102400m", 103, 102400),
        ("1e3", "1e3", 1000, 1000000),
        ("-1.5", "-1500m", -2, -1500),
        ("1n", "1n", 1, 1),
        ("9Ei", "9223372036854775807", 2**63 - 1, 1000 * (2**63 - 1)),
        ("1000E", "1000E", 10**21, 10**24),
        ("+", "0", 0, 0),
    ],
)
def test_amounts(text: str, canonical: str, value: int, milli: int) -> None:
    assert quantity.canonical(text) == canonical
    assert quantity.value(text) == value
    assert quantity.milli(text) == milli


@pytest.mark.parametrize("number", NUMBERS)
def test_thousandths_are_those_of_the_exact_amount(number: str) -> None:
    for text in (number + suffix for suffix in SUFFIXES):
        exact = quantity.parse(text) * 1000
        milli = quantity.milli(text)
        assert milli == int(exact.to_integral_value(ROUND_UP, Context(prec=100))), text
        if not milli % 1000 or abs(milli) < 10**18:
            amount = Decimal(milli).scaleb(-3, Context(prec=100))
            assert quantity.of_milli(milli, is_binary=False) == quantity.format_decimal(amount)
            assert quantity.of_milli(milli, is_binary=True) == quantity.format_binary(amount)


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", " 1", "1 ", "e3x", "1Kix", "٣", "1" * 2000])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.parse(text)


@pytest.mark.parametrize("text", ["1K", "1e", "1kk", "1i", "1e99999999999", "1e1001"])
def test_what_has_no_such_suffix(text: str) -> None:
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        quantity.parse(text)


def test_amounts_are_compared_across_formats() -> None:
    assert quantity.parse("1Gi") == quantity.parse("1024Mi") > quantity.parse("1G")
    assert quantity.parse("0.1") == quantity.parse("100m")


def test_amounts_are_written_in_either_form() -> None:
    assert quantity.format_decimal(Decimal("0.25")) == "250m"
    assert quantity.format_decimal(Decimal(2000)) == "2k"
    assert quantity.format_binary(Decimal(2048)) == "2Ki"
    assert quantity.format_binary(Decimal("0.5")) == "500m"
