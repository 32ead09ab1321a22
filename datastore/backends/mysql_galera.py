"""A MariaDB Galera cluster as a store: what has to be otherwise where nodes share no locks.

Nodes share what is committed, in one order, and nothing else: row locks and named locks are a
node's own. A transaction is judged as it commits: of two that wrote one row without having seen
each other's, the later one is refused (error 1213), wherever they ran. So

* every write transaction begins by writing the row `TURN` of `lock`: whoever was overtaken between
  that and its commit is refused, and the committer begins anew;
* every connection asks for `wsrep_sync_wait`: a transaction begins when its node has all that was
  committed anywhere before, so reads at any node are as new as at one;
* whether a COMMIT that was not answered was done is asked by a transaction that commits, too: after
  it the one in question cannot come any more;
* a member row is its server's for as long as there are heartbeats in it;
* the schema is changed at one node, the cluster's first, under a named lock there.

docs/decisions/0012-galera.md says why.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from datastore.backends.mysql_nodes import connect, connect_each
from datastore.errors import StartError

if TYPE_CHECKING:
    from datastore.backends.mysql_connection import MysqlConnection
    from datastore.backends.mysql_target import Target

_UNSAFE = ("pc.ignore_quorum", "pc.ignore_sb")  # they let both halves of a cluster go on
_INDEX = "SHOW GLOBAL STATUS LIKE 'wsrep_local_index'"
_OPTIONS = "SHOW GLOBAL VARIABLES LIKE 'wsrep_provider_options'"


def refuse_unsafe(connection: MysqlConnection, name: str) -> None:
    """Raise StartError for a cluster that is not MariaDB's, or whose halves may both go on."""
    if not connection.mariadb:
        raise StartError(
            f"datastore {name} is a Galera cluster of MySQL, which is not supported: use MariaDB's"
        )
    options = connection.exchange([_OPTIONS])[0][0][1]
    given = {key.strip(): value.strip() for key, _, value in
             (option.partition("=") for option in options.split(";"))}  # fmt: skip
    for option in _UNSAFE:
        if given.get(option, "no") not in ("no", "false", "0"):
            raise StartError(
                f"datastore {name} has {option} on: a part of the cluster that lost the others "
                "would go on alone, and acknowledge what is lost later: turn it off"
            )


def first_node(target: Target) -> MysqlConnection:
    """Connect to the node that comes first in the cluster's own order, of those of the URL."""
    found = [(int(each.exchange([_INDEX])[0][0][1]), each) for each in connect_each(target)]
    if not found:
        return connect(target)  # which says why
    found.sort(key=itemgetter(0))
    for _, other in found[1:]:
        other.leave()
    return found[0][1]
