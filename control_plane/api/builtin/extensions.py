"""The rows of what extends the API: admissionregistration.k8s.io,
apiextensions.k8s.io, apiregistration.k8s.io.
"""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource

_ADMISSION = "admissionregistration.k8s.io"
_EXTENSIONS = ("api-extensions",)

MUTATINGWEBHOOKCONFIGURATIONS = Resource(
    _ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False,
    categories=_EXTENSIONS,
)  # fmt: skip
VALIDATINGADMISSIONPOLICIES = Resource(
    _ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False,
    categories=_EXTENSIONS, subresources=(STATUS,),
)  # fmt: skip
VALIDATINGADMISSIONPOLICYBINDINGS = Resource(
    _ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
    False, categories=_EXTENSIONS,
)  # fmt: skip
VALIDATINGWEBHOOKCONFIGURATIONS = Resource(
    _ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False,
    categories=_EXTENSIONS,
)  # fmt: skip

# served when they are asked for: --runtime-config
_POLICY, _BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"
MUTATINGADMISSIONPOLICIES = Resource(
    _ADMISSION, "v1beta1", _POLICY, "mutatingadmissionpolicies", False, categories=_EXTENSIONS
)
MUTATINGADMISSIONPOLICYBINDINGS = Resource(
    _ADMISSION, "v1beta1", _BINDING, "mutatingadmissionpolicybindings", False,
    categories=_EXTENSIONS,
)  # fmt: skip
MUTATINGADMISSIONPOLICIES_V1ALPHA1 = Resource(
    _ADMISSION, "v1alpha1", _POLICY, "mutatingadmissionpolicies", False, categories=_EXTENSIONS,
    stored_as=(_ADMISSION, "v1beta1", _POLICY),
)  # fmt: skip
MUTATINGADMISSIONPOLICYBINDINGS_V1ALPHA1 = Resource(
    _ADMISSION, "v1alpha1", _BINDING, "mutatingadmissionpolicybindings", False,
    categories=_EXTENSIONS, stored_as=(_ADMISSION, "v1beta1", _BINDING),
)  # fmt: skip

APISERVICES = Resource(
    "apiregistration.k8s.io", "v1", "APIService", "apiservices", False,
    categories=_EXTENSIONS, subresources=(STATUS,), storage="apiregistration.k8s.io/apiservices",
)  # fmt: skip

CUSTOMRESOURCEDEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False,
    ("crd", "crds"), _EXTENSIONS, subresources=(STATUS,),
    storage="apiextensions.k8s.io/customresourcedefinitions",
    stored_as=("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition"),
)  # fmt: skip

ROWS = (
    CUSTOMRESOURCEDEFINITIONS,
    APISERVICES,
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
OFF_BY_DEFAULT = (
    MUTATINGADMISSIONPOLICIES,
    MUTATINGADMISSIONPOLICYBINDINGS,
    MUTATINGADMISSIONPOLICIES_V1ALPHA1,
    MUTATINGADMISSIONPOLICYBINDINGS_V1ALPHA1,
)
