"""docs/reference/metrics.md lists what /metrics shows: every name, with its type and labels."""

import asyncio
import re
import urllib.request
from pathlib import Path

from tests.datastore.client import client_of
from tests.support.datastore import Datastore
from tests.support.ports import free_port

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"\| `(\w+)` \| (gauge|counter|histogram) \| (.*?) \|")
SAMPLE = re.compile(r"(\w+)\{(.*)\} ")
PARTS = re.compile(r"_(bucket|count|sum)$")
RAISED = "etcd_debugging_server_alarms"  # has samples only while there is an alarm


async def test_the_page_lists_what_a_server_shows() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Datastore(flags=["--metrics=extensive", "--listen-metrics-urls", url]) as server:
        async with client_of(server.address) as client:
            await client.put(b"a", b"1")
        text = await asyncio.to_thread(_read, f"{url}/metrics")

    documented = {name: kind for name, kind, _ in ROW.findall(PAGE.read_text())}
    labelled = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, _, labels in ROW.findall(PAGE.read_text())
        if labels and name != RAISED
    }
    assert documented == dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    assert labelled == _labels(text, documented)


def _read(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


def _labels(text: str, names: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if sample := SAMPLE.match(line):
            name = sample[1] if sample[1] in names else PARTS.sub("", sample[1])
            labels = set(re.findall(r'(\w+)="', sample[2])) - {"le"}
            if labels:
                found.setdefault(name, set()).update(labels)
    return found


def test_every_name_on_the_page_is_in_its_tables() -> None:
    text = PAGE.read_text()
    known = {name for name, _, _ in ROW.findall(text)}

    assert set(re.findall(r"\b(?:etcd|tapir)_[a-z_]+[a-z]\b", text)) <= known
