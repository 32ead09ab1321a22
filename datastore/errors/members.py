"""The errors of the member list, leadership and downgrades."""

from datastore.errors import DatastoreError, FailedPrecondition, InvalidRequest, NotFound


class MemberNotFound(NotFound):
    """etcdserver: member not found"""


class NotLearner(FailedPrecondition):
    """etcdserver: can only promote a learner member"""


class PeerURLExists(FailedPrecondition):
    """etcdserver: Peer URLs already exists"""


class BadLeaderTransferee(FailedPrecondition):
    """etcdserver: bad leader transferee"""


class NotLeader(FailedPrecondition):
    """etcdserver: not leader"""


class NotEnoughStartedMembers(DatastoreError):
    """etcdserver: re-configuration failed due to not enough started members"""


class BadMemberURLs(InvalidRequest):
    """etcdserver: given member URLs are invalid"""


class WrongDowngradeVersion(InvalidRequest):
    """etcdserver: wrong downgrade target version format"""


class InvalidDowngradeTarget(InvalidRequest):
    """etcdserver: invalid downgrade target version"""


class UnknownDowngradeAction(DatastoreError):
    """etcdserver: unknown method"""
