"""The rows of questions to the server itself: who am I, who is this, may they.

authentication.k8s.io and authorization.k8s.io. Nothing of them is stored.
"""

from __future__ import annotations

from control_plane.api.resource import CREATE_ONLY, Resource

_AUTHENTICATION = "authentication.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"

SELFSUBJECTREVIEWS = Resource(
    _AUTHENTICATION, "v1", "SelfSubjectReview", "selfsubjectreviews", False, verbs=CREATE_ONLY,
    storage="",
)  # fmt: skip
TOKENREVIEWS = Resource(
    _AUTHENTICATION, "v1", "TokenReview", "tokenreviews", False, verbs=CREATE_ONLY, storage=""
)
LOCALSUBJECTACCESSREVIEWS = Resource(
    _AUTHORIZATION, "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", True,
    verbs=CREATE_ONLY, storage="",
)  # fmt: skip
SELFSUBJECTACCESSREVIEWS = Resource(
    _AUTHORIZATION, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False,
    verbs=CREATE_ONLY, storage="",
)  # fmt: skip
SELFSUBJECTRULESREVIEWS = Resource(
    _AUTHORIZATION, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False,
    verbs=CREATE_ONLY, storage="",
)  # fmt: skip
SUBJECTACCESSREVIEWS = Resource(
    _AUTHORIZATION, "v1", "SubjectAccessReview", "subjectaccessreviews", False,
    verbs=CREATE_ONLY, storage="",
)  # fmt: skip

ROWS = (
    SELFSUBJECTREVIEWS,
    TOKENREVIEWS,
    LOCALSUBJECTACCESSREVIEWS,
    SELFSUBJECTACCESSREVIEWS,
    SELFSUBJECTRULESREVIEWS,
    SUBJECTACCESSREVIEWS,
)
