"""The names of admission plugins: upstream's, in its order, which ones are here and which are on.

A name of upstream's that is NOT_HERE is refused when it is to be switched on. Source: the plugin
order and the default plugins of kube-apiserver v1.35.
"""

from typing import Final

ORDER: Final = (
    "AlwaysAdmit", "NamespaceAutoProvision", "NamespaceLifecycle", "NamespaceExists",
    "LimitPodHardAntiAffinityTopology", "LimitRanger", "ServiceAccount", "NodeRestriction",
    "TaintNodesByCondition", "AlwaysPullImages", "ImagePolicyWebhook", "PodSecurity",
    "PodNodeSelector", "Priority", "DefaultTolerationSeconds", "PodTolerationRestriction",
    "EventRateLimit", "ExtendedResourceToleration", "DefaultStorageClass",
    "StorageObjectInUseProtection", "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning",
    "ClusterTrustBundleAttest", "CertificateSubjectRestriction", "DefaultIngressClass",
    "DenyServiceExternalIPs", "PodTopologyLabels", "NodeDeclaredFeatureValidator",
    "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook", "ResourceQuota", "AlwaysDeny",
)  # fmt: skip
OFF_BY_DEFAULT: Final = frozenset({
    "AlwaysAdmit", "NamespaceAutoProvision", "NamespaceExists", "LimitPodHardAntiAffinityTopology",
    "NodeRestriction", "AlwaysPullImages", "ImagePolicyWebhook", "PodNodeSelector",
    "PodTolerationRestriction", "EventRateLimit", "ExtendedResourceToleration",
    "OwnerReferencesPermissionEnforcement", "DenyServiceExternalIPs", "AlwaysDeny",
})  # fmt: skip
# what is on unless it is switched off: nodes are always held to what is theirs
BY_DEFAULT: Final = frozenset(ORDER) - OFF_BY_DEFAULT | {"NodeRestriction"}
NOT_HERE: Final = OFF_BY_DEFAULT - {
    "NodeRestriction", "AlwaysPullImages", "DenyServiceExternalIPs",
    "OwnerReferencesPermissionEnforcement",
}  # fmt: skip
