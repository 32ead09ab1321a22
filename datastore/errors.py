"""Every error the datastore answers with: one class an error, its docstring is the exact wire text.

etcd's clients recognise an error by its message alone, other clients by the gRPC code, so both are
exact. `code` names a gRPC status code; `datastore/rpc/answering.py` is the one place that turns
these into gRPC statuses, so that neither `mvcc` nor `backends` knows gRPC.

Errors that never reach the wire (a bad flag, a database that cannot be used) are `ConfigError`
and `StartError`: the command line prints them as one line and exits with 2.
"""


class ConfigError(Exception):
    """A flag or a URL is wrong; the message names it and the remedy."""


class StartError(ConfigError):
    """The server cannot start: port in use, database refused, foreign or newer data."""


class DatastoreError(Exception):
    """etcdserver: unknown error"""

    code = "UNKNOWN"

    def __init__(self, text: str = "") -> None:
        super().__init__(text or self.__doc__ or "")


class InvalidRequest(DatastoreError):
    """etcdserver: invalid request"""

    code = "INVALID_ARGUMENT"


class EmptyKey(InvalidRequest):
    """etcdserver: key is not provided"""


class KeyNotFound(InvalidRequest):
    """etcdserver: key not found"""


class ValueProvided(InvalidRequest):
    """etcdserver: value is provided"""


class LeaseProvided(InvalidRequest):
    """etcdserver: lease is provided"""


class TooManyOperations(InvalidRequest):
    """etcdserver: too many operations in txn request"""


class DuplicateKey(InvalidRequest):
    """etcdserver: duplicate key given in txn request"""


class InvalidSortOption(InvalidRequest):
    """etcdserver: invalid sort option"""


class InvalidClientVersion(InvalidRequest):
    """etcdserver: invalid client api version"""


class RequestTooLarge(InvalidRequest):
    """etcdserver: request is too large"""


class KeyTooLong(InvalidRequest):
    """etcdserver: key is longer than this datastore can index"""


class TooManyEvents(InvalidRequest):
    """etcdserver: request changes more than 1048576 keys in one revision"""


class RevisionOutOfRange(DatastoreError):
    """etcdserver: mvcc: required revision is out of range"""

    code = "OUT_OF_RANGE"


class Compacted(RevisionOutOfRange):
    """etcdserver: mvcc: required revision has been compacted"""


class FutureRevision(RevisionOutOfRange):
    """etcdserver: mvcc: required revision is a future revision"""


class LeaseTTLTooLarge(RevisionOutOfRange):
    """etcdserver: too large lease TTL"""


class Exhausted(DatastoreError):
    """etcdserver: resource exhausted"""

    code = "RESOURCE_EXHAUSTED"


class NoSpace(Exhausted):
    """etcdserver: mvcc: database space exceeded"""


class TooManyRequests(Exhausted):
    """etcdserver: too many requests"""


class NotFound(DatastoreError):
    """etcdserver: not found"""

    code = "NOT_FOUND"


class LeaseNotFound(NotFound):
    """etcdserver: requested lease not found"""


class MemberNotFound(NotFound):
    """etcdserver: member not found"""


class FailedPrecondition(DatastoreError):
    """etcdserver: failed precondition"""

    code = "FAILED_PRECONDITION"


class LeaseExists(FailedPrecondition):
    """etcdserver: lease already exists"""


class NotLearner(FailedPrecondition):
    """etcdserver: can only promote a learner member"""


class PeerURLExists(FailedPrecondition):
    """etcdserver: Peer URLs already exists"""


class BadLeaderTransferee(FailedPrecondition):
    """etcdserver: bad leader transferee"""


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


class UserNameEmpty(InvalidRequest):
    """etcdserver: user name is empty"""


class RoleNameEmpty(InvalidRequest):
    """etcdserver: role name is empty"""


class NameTooLong(InvalidRequest):
    """etcdserver: name is longer than this datastore can index"""


class AuthenticationFailed(InvalidRequest):
    """etcdserver: authentication failed, invalid user ID or password"""


class PermissionNotGiven(InvalidRequest):
    """etcdserver: permission not given"""


class InvalidAuthManagement(InvalidRequest):
    """etcdserver: invalid auth management"""


class AuthRevisionOld(InvalidRequest):
    """etcdserver: revision of auth store is old"""


class RootUserMissing(FailedPrecondition):
    """etcdserver: root user does not exist"""


class RootRoleMissing(FailedPrecondition):
    """etcdserver: root user does not have root role"""


class UserExists(FailedPrecondition):
    """etcdserver: user name already exists"""


class UserNotFound(FailedPrecondition):
    """etcdserver: user name not found"""


class RoleExists(FailedPrecondition):
    """etcdserver: role name already exists"""


class RoleNotFound(FailedPrecondition):
    """etcdserver: role name not found"""


class RoleNotGranted(FailedPrecondition):
    """etcdserver: role is not granted to the user"""


class PermissionNotGranted(FailedPrecondition):
    """etcdserver: permission is not granted to the role"""


class AuthNotEnabled(FailedPrecondition):
    """etcdserver: authentication is not enabled"""


class PermissionDenied(DatastoreError):
    """etcdserver: permission denied"""

    code = "PERMISSION_DENIED"


class InvalidAuthToken(DatastoreError):
    """etcdserver: invalid auth token"""

    code = "UNAUTHENTICATED"


NOT_ALLOWED = (InvalidAuthToken, AuthRevisionOld, UserNameEmpty, PermissionDenied)


class NoPasswordUser(DatastoreError):
    """auth: authentication failed, password was given for no password user"""


class VerifyOnly(DatastoreError):
    """auth: token signing attempted with verify-only key"""


class PasswordTooLong(DatastoreError):
    """bcrypt: password length exceeds 72 bytes"""


class Unavailable(DatastoreError):
    """etcdserver: request timed out"""

    code = "UNAVAILABLE"


class ServerStopped(Unavailable):
    """etcdserver: server stopped"""


class CorruptCluster(DatastoreError):
    """etcdserver: corrupt cluster"""

    code = "DATA_LOSS"


class WatchCanceled(DatastoreError):
    """etcdserver: watch canceled"""

    code = "CANCELLED"


class Unsupported(DatastoreError):
    """etcdserver: not supported by this datastore"""

    code = "UNIMPLEMENTED"


class SortedStream(Unsupported):
    """RangeStream does not support custom sort orders"""


class FilteredStream(Unsupported):
    """RangeStream does not support revision filters"""


class MalformedRequest(DatastoreError):
    """grpc: error unmarshalling request"""

    code = "INTERNAL"


class MalformedMessage(MalformedRequest):
    """grpc: failed to unmarshal the received message"""


class MessageTooLarge(Exhausted):
    """grpc: received message larger than max"""
