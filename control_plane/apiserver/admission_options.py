"""The flags about admission that manifests of kube-apiserver carry: taken for what there is.

The plugins that upstream switches on by itself, and NodeRestriction, are always on; no other is
there, and none can be switched off.
"""

import argparse

from control_plane.apiserver.config_error import ConfigError
from control_plane.client.flags import boolean

ALWAYS_ON = frozenset(
    {
        "CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction",
        "ClusterTrustBundleAttest", "DefaultIngressClass", "DefaultStorageClass",
        "DefaultTolerationSeconds", "LimitRanger", "MutatingAdmissionWebhook", "NamespaceLifecycle",
        "NodeRestriction", "PersistentVolumeClaimResize", "PodSecurity", "PodTopologyLabels",
        "Priority", "ResourceQuota", "RuntimeClass", "ServiceAccount",
        "StorageObjectInUseProtection", "TaintNodesByCondition", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionWebhook",
    }
)  # fmt: skip
_ABSENT = frozenset(
    {
        "AlwaysAdmit", "AlwaysDeny", "AlwaysPullImages", "DenyServiceExternalIPs", "EventRateLimit",
        "ExtendedResourceToleration", "ImagePolicyWebhook", "LimitPodHardAntiAffinityTopology",
        "MutatingAdmissionPolicy", "NamespaceAutoProvision", "NamespaceExists",
        "OwnerReferencesPermissionEnforcement", "PodNodeSelector", "PodTolerationRestriction",
    }
)  # fmt: skip


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    for flag, text in (
        ("--enable-admission-plugins", "those that are on anyway; others are refused"),
        ("--disable-admission-plugins", "those that are not there; others are refused"),
    ):
        add(flag, action="append", default=[], metavar="NAME[,NAME]", help=text)
    add(
        "--allow-privileged",
        nargs="?",
        type=boolean,
        const=True,
        default=True,
        metavar="true",
        help="true: pods may be privileged where Pod Security lets them",
    )


def check(args: argparse.Namespace) -> None:
    """Raise ConfigError for what cannot be had."""
    for flag, given, fitting in (
        ("--enable-admission-plugins", args.enable_admission_plugins, ALWAYS_ON),
        ("--disable-admission-plugins", args.disable_admission_plugins, _ABSENT),
    ):
        for name in (one.strip() for text in given for one in text.split(",")):
            if name not in ALWAYS_ON | _ABSENT:
                raise ConfigError(f'{flag}: admission plugin "{name}" is unknown')
            if name not in fitting:
                is_on = "always on" if name in ALWAYS_ON else "not supported"
                raise ConfigError(f"{flag}: admission plugin {name} is {is_on}: leave it out")
    if not args.allow_privileged:
        raise ConfigError(
            "--allow-privileged=false is not supported: "
            "label namespaces with pod-security.kubernetes.io/enforce"
        )
