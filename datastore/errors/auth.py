"""The errors of users, roles, permissions, passwords and tokens."""

from datastore.errors import DatastoreError, FailedPrecondition, InvalidRequest


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
