"""Every way a call of this suite is refused: code and text as a real etcd sends them."""

from tests.contract.client import Refusal

KEY_NOT_PROVIDED = Refusal("INVALID_ARGUMENT", "etcdserver: key is not provided")
KEY_NOT_FOUND = Refusal("INVALID_ARGUMENT", "etcdserver: key not found")
VALUE_PROVIDED = Refusal("INVALID_ARGUMENT", "etcdserver: value is provided")
LEASE_PROVIDED = Refusal("INVALID_ARGUMENT", "etcdserver: lease is provided")
TOO_MANY_OPERATIONS = Refusal("INVALID_ARGUMENT", "etcdserver: too many operations in txn request")
DUPLICATE_KEY = Refusal("INVALID_ARGUMENT", "etcdserver: duplicate key given in txn request")
INVALID_SORT_OPTION = Refusal("INVALID_ARGUMENT", "etcdserver: invalid sort option")
REQUEST_TOO_LARGE = Refusal("INVALID_ARGUMENT", "etcdserver: request is too large")
COMPACTED = Refusal("OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted")
FUTURE_REVISION = Refusal(
    "OUT_OF_RANGE", "etcdserver: mvcc: required revision is a future revision"
)
LEASE_NOT_FOUND = Refusal("NOT_FOUND", "etcdserver: requested lease not found")
LEASE_EXISTS = Refusal("FAILED_PRECONDITION", "etcdserver: lease already exists")
LEASE_TTL_TOO_LARGE = Refusal("OUT_OF_RANGE", "etcdserver: too large lease TTL")
NO_SPACE = Refusal("RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded")
UNKNOWN_HEALTH_SERVICE = Refusal("NOT_FOUND", "unknown service")
