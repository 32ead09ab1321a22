"""Who may do what for a signer of certificates: a verb on the resource `signers`.

The permission is for the signer's name or for "<its domain>/*".
"""

from control_plane.apiserver.auth.authz import Attributes, Authorizer
from control_plane.apiserver.auth.user import User


def is_permitted(authorizer: Authorizer, user: User, verb: str, signer: str) -> bool:
    """Whether a user may do what `verb` says for a signer."""
    domain = signer.split("/")[0]
    for name in (signer, f"{domain}/*"):
        asked = Attributes(verb, group="certificates.k8s.io", resource="signers", name=name)
        if authorizer.decide(user, asked).allowed:
            return True
    return False
