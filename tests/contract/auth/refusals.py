"""How auth refuses: code and text as a real etcd sends them."""

from tests.contract.client import Refusal

NO_USER = Refusal("INVALID_ARGUMENT", "etcdserver: user name is empty")
DENIED = Refusal("PERMISSION_DENIED", "etcdserver: permission denied")
BAD_TOKEN = Refusal("UNAUTHENTICATED", "etcdserver: invalid auth token")
OLD_REVISION = Refusal("INVALID_ARGUMENT", "etcdserver: revision of auth store is old")
FAILED = Refusal(
    "INVALID_ARGUMENT", "etcdserver: authentication failed, invalid user ID or password"
)
NOT_ENABLED = Refusal("FAILED_PRECONDITION", "etcdserver: authentication is not enabled")
NO_PASSWORD_USER = Refusal(
    "UNKNOWN", "auth: authentication failed, password was given for no password user"
)
PASSWORD_TOO_LONG = Refusal("UNKNOWN", "bcrypt: password length exceeds 72 bytes")
NO_ROOT_USER = Refusal("FAILED_PRECONDITION", "etcdserver: root user does not exist")
NO_ROOT_ROLE = Refusal("FAILED_PRECONDITION", "etcdserver: root user does not have root role")
USER_EXISTS = Refusal("FAILED_PRECONDITION", "etcdserver: user name already exists")
USER_NOT_FOUND = Refusal("FAILED_PRECONDITION", "etcdserver: user name not found")
ROLE_EXISTS = Refusal("FAILED_PRECONDITION", "etcdserver: role name already exists")
ROLE_NOT_FOUND = Refusal("FAILED_PRECONDITION", "etcdserver: role name not found")
ROLE_EMPTY = Refusal("INVALID_ARGUMENT", "etcdserver: role name is empty")
ROLE_NOT_GRANTED = Refusal("FAILED_PRECONDITION", "etcdserver: role is not granted to the user")
PERMISSION_NOT_GRANTED = Refusal(
    "FAILED_PRECONDITION", "etcdserver: permission is not granted to the role"
)
PERMISSION_NOT_GIVEN = Refusal("INVALID_ARGUMENT", "etcdserver: permission not given")
BAD_MANAGEMENT = Refusal("INVALID_ARGUMENT", "etcdserver: invalid auth management")
