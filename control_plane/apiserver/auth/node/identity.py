"""Which node a user is. Source: the default node identifier of Kubernetes v1.35."""

from control_plane.apiserver.auth.user import User

NODES_GROUP = "system:nodes"
NODE_PREFIX = "system:node:"


def node_of(user: User) -> str | None:
    """The name of the node that the user is: "" for a node without a name, None for no node."""
    if not user.name.startswith(NODE_PREFIX) or NODES_GROUP not in user.groups:
        return None
    return user.name.removeprefix(NODE_PREFIX)
