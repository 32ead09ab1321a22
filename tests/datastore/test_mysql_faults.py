"""A MariaDB that freezes; what it has in common with PostgreSQL is in `test_shared_faults.py`."""

import os
import signal

from tests.datastore.client import client_of
from tests.datastore.test_shared_faults import TIMED_OUT, put_when_back, refusal
from tests.support.datastore import Datastore
from tests.support.mariadb import Mariadb


async def test_a_database_that_freezes_keeps_nobody_waiting() -> None:
    with Mariadb() as own_mariadb, Datastore(own_mariadb.url("frozen")) as server:
        async with client_of(server.address) as client:
            first = await client.put(b"before")
            os.kill(own_mariadb.pid, signal.SIGSTOP)
            try:
                refused = await refusal(client)
            finally:
                os.kill(own_mariadb.pid, signal.SIGCONT)
            last = await put_when_back(client, b"after")
            found = await client.everything()

    assert refused == TIMED_OUT
    assert {b"before", b"after"} <= {kv.key for kv in found.kvs}
    assert last - first == len(found.kvs) - 1  # what was refused may have happened
