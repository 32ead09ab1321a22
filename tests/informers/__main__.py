"""`make informers`: an hour of churn on each store, and what two informers hold of it.

Every minute the writers pause until what the informers hold is what a fresh list has; every ten
minutes the API server is killed and started again.
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

from control_plane.pki.cluster import ClusterPki
from tests.availability.servers import Process
from tests.informers.churn import SELECTED, Churn
from tests.informers.followers import Held, OfficialFollower, OwnFollower, key_of, version_and_data
from tests.support.apiserver import cluster_pki
from tests.support.raw_api import RawApi
from tests.support.running_stores import STORES

CHECK_SECONDS = 60.0
RESTART_EVERY = 10  # checks
SETTLE_SECONDS = 60.0
READY_SECONDS = 120.0
Follower = OfficialFollower | OwnFollower


def main() -> int:
    """Run; 1 when a cache was not what a list has."""
    parser = argparse.ArgumentParser(prog="informers", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="on each store")
    parser.add_argument("--writes", type=float, default=50.0, help="a second")
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    flags = parser.parse_args()
    logging.getLogger("kubernetes").setLevel(logging.CRITICAL)  # it tells of each restart
    wrong = [_run(name, flags.minutes, flags.writes) for name in flags.store or STORES]
    return int(any(wrong))


def _run(name: str, minutes: int, per_second: float) -> int:
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(STORES[name]())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server, pki = _server(store.endpoint, directory)
        stack.callback(server.stop)
        api = stack.enter_context(_admin(server, pki))
        churn = Churn(api, seed=1, per_second=per_second)
        churn.prepare()
        followers = _followers(pki.kubeconfig(), stack)
        wrong = 0
        for minute in range(1, minutes + 1):
            churn.run(time.monotonic() + CHECK_SECONDS)
            if minute % RESTART_EVERY == 0:
                server.kill()
                server.start()
                _wait(lambda: api.get("/readyz").code == 200, READY_SECONDS)
            wrong += _check(api, followers, f"{name}, minute {minute}", churn.codes)
    return wrong


def _server(endpoint: str, directory: Path) -> tuple[Process, ClusterPki]:
    """A server whose certificate and kubeconfig name the port that it serves."""
    pki = cluster_pki(directory, "https://127.0.0.1:0")
    server = Process(endpoint, pki, directory / "log")
    kubeconfig = pki.kubeconfig()
    text = kubeconfig.read_text().replace("https://127.0.0.1:0", f"https://127.0.0.1:{server.port}")
    kubeconfig.write_text(text)
    server.start()
    return server, pki


@contextlib.contextmanager
def _admin(server: Process, pki: ClusterPki) -> Iterator[RawApi]:
    url, authority = f"https://127.0.0.1:{server.port}", pki.pair("ca").certificate
    with RawApi(url, authority, pki.pair("admin")) as api:
        assert _wait(lambda: api.get("/readyz").code == 200, READY_SECONDS)
        yield api


def _followers(kubeconfig: Path, stack: contextlib.ExitStack) -> dict[str, tuple[Follower, str]]:
    """The informers by their names, with the selectors of what they follow."""
    made: dict[str, tuple[Follower, str]] = {}
    for kind in (OfficialFollower, OwnFollower):
        for selector in ("", SELECTED):
            follower = kind(kubeconfig, selector)
            stack.callback(follower.stop)
            made[f"{kind.__name__} {selector or 'of all'}"] = (follower, selector)
    return made


def _check(
    api: RawApi, followers: dict[str, tuple[Follower, str]], when: str, codes: Counter[int]
) -> int:
    """Compare every informer with a fresh list; the number of those that differ."""
    wrong = []
    for name, (follower, selector) in followers.items():
        listed = _listed(api, selector)
        if not _wait(partial(_holds, follower, listed), SETTLE_SECONDS):
            wrong.append(f"{name}: {_difference(follower.held(), listed)}")
    said = "; ".join(wrong) or "all caches are equal to a list"
    sys.stdout.write(
        f"{when}: {dict(sorted(codes.items()))}, {len(_listed(api, ''))} objects, {said}\n"
    )
    sys.stdout.flush()
    return len(wrong)


def _listed(api: RawApi, selector: str) -> Held:
    items = api.get(f"/api/v1/configmaps?labelSelector={quote(selector)}").json["items"]
    return {key_of(item): version_and_data(item) for item in items}


def _holds(follower: Follower, listed: Held) -> bool:
    return follower.held() == listed


def _difference(held: Held, listed: Held) -> str:
    stale = [key for key in held.keys() & listed.keys() if held[key] != listed[key]]
    missing, extra = listed.keys() - held.keys(), held.keys() - listed.keys()
    return f"stale {stale[:5]}, missing {[*missing][:5]}, too many {[*extra][:5]}"


def _wait(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until it holds; whether it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if holds():
                return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    sys.exit(main())
