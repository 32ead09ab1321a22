"""CHECKS: every invariant of a store, by name. A new one is a row in one of these tables."""

from datastore.tools.checks.auth import AUTH
from datastore.tools.checks.chains import CHAINS
from datastore.tools.checks.heads import HEADS
from datastore.tools.checks.revisions import REVISIONS
from datastore.tools.checks.shared import SHARED
from datastore.tools.checks.whole import WHOLE

CHECKS = (*REVISIONS, *HEADS, *CHAINS, *SHARED, *AUTH, *WHOLE)
