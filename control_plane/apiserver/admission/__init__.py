"""Admission: what the cluster adds to an object or has against it, between request and storage.

ADMISSION lists the plugins in upstream's order; each is a class with `admit` (may change the
object), `finish` (has the last word on it), `check` (may refuse it), or several. A plugin is one
file and one line here, with the name by which flags switch it off. Mutating policies and webhooks
come after those that change objects; what they change may let all of them look at the object once
more. ResourceQuota is the last of all: what it charges is written together with the object.
"""

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager

from control_plane.api.resources import Resource
from control_plane.apiserver.admission.always_pull_images import AlwaysPullImages
from control_plane.apiserver.admission.certificate_approval import CertificateApproval
from control_plane.apiserver.admission.certificate_requester import CertificateRequester
from control_plane.apiserver.admission.certificate_signing import CertificateSigning
from control_plane.apiserver.admission.certificate_subject import CertificateSubjectRestriction
from control_plane.apiserver.admission.default_ingress_class import DefaultIngressClass
from control_plane.apiserver.admission.default_storage_class import DefaultStorageClass
from control_plane.apiserver.admission.default_tolerations import DefaultTolerationSeconds
from control_plane.apiserver.admission.device_admin_access import DeviceAdminAccess
from control_plane.apiserver.admission.external_ips import DenyServiceExternalIPs
from control_plane.apiserver.admission.limit_ranger import LimitRanger
from control_plane.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from control_plane.apiserver.admission.node_restriction import NodeRestriction
from control_plane.apiserver.admission.node_taints import TaintNodesByCondition
from control_plane.apiserver.admission.owner_permissions import OwnerReferencesPermissionEnforcement
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.pod_security import PodSecurity
from control_plane.apiserver.admission.pod_topology_labels import PodTopologyLabels
from control_plane.apiserver.admission.policies.mutating import MutatingPolicies, PolicyMutation
from control_plane.apiserver.admission.policies.param_rights import ParamRights
from control_plane.apiserver.admission.policies.validating import ValidatingAdmissionPolicy
from control_plane.apiserver.admission.priority import Priority
from control_plane.apiserver.admission.quota_group import Charge
from control_plane.apiserver.admission.resource_quota import ResourceQuota
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.admission.role_escalation import RoleEscalation
from control_plane.apiserver.admission.runtime_class import RuntimeClass
from control_plane.apiserver.admission.service_account import ServiceAccountAdmission
from control_plane.apiserver.admission.storage_protection import StorageObjectInUseProtection
from control_plane.apiserver.admission.volume_claim_resize import PersistentVolumeClaimResize
from control_plane.apiserver.admission.webhooks import Webhooks
from control_plane.apiserver.admission.webhooks.mutating import Mutation
from control_plane.apiserver.admission_configuration.settings import AdmissionSettings
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections

__all__ = ["ADMISSION", "Admission", "Charge", "Operation", "Plugin", "Review"]

ADMISSION: tuple[tuple[str, type[Plugin]], ...] = (
    ("NamespaceLifecycle", NamespaceLifecycle),
    ("LimitRanger", LimitRanger),
    ("ServiceAccount", ServiceAccountAdmission),
    ("NodeRestriction", NodeRestriction),
    ("TaintNodesByCondition", TaintNodesByCondition),
    ("AlwaysPullImages", AlwaysPullImages),
    ("PodSecurity", PodSecurity),
    ("Priority", Priority),
    ("DefaultTolerationSeconds", DefaultTolerationSeconds),
    ("DefaultStorageClass", DefaultStorageClass),
    ("StorageObjectInUseProtection", StorageObjectInUseProtection),
    ("OwnerReferencesPermissionEnforcement", OwnerReferencesPermissionEnforcement),
    ("PersistentVolumeClaimResize", PersistentVolumeClaimResize),
    ("RuntimeClass", RuntimeClass),
    ("CertificateApproval", CertificateApproval),
    ("CertificateSigning", CertificateSigning),
    ("CertificateSubjectRestriction", CertificateSubjectRestriction),
    ("DefaultIngressClass", DefaultIngressClass),
    ("DenyServiceExternalIPs", DenyServiceExternalIPs),
    ("PodTopologyLabels", PodTopologyLabels),
    # what upstream does in the strategies and storages of these kinds: always on
    ("", CertificateRequester),
    ("", DeviceAdminAccess),
    ("", RoleEscalation),
    ("", ParamRights),
    ("ValidatingAdmissionPolicy", ValidatingAdmissionPolicy),
)


class _Asked:
    """Plugins in their order, by the resources that they are asked about."""

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        plugins = tuple(plugins)
        self._about_all = tuple(one for one in plugins if not one.concerns)
        self._about = {
            resource: tuple(one for one in plugins if not one.concerns or resource in one.concerns)
            for resource in {resource for one in plugins for resource in one.concerns}
        }

    def about(self, resource: Resource) -> tuple[Plugin, ...]:
        """Those that are asked about an object of a resource."""
        return self._about.get(resource, self._about_all)


class Admission:
    """The chain of plugins, ready to be asked."""

    def __init__(
        self,
        collections: Collections,
        authorizer: Authorizer,
        settings: AdmissionSettings,
        *,
        has_mutating_policies: bool = False,
    ) -> None:
        """Make one of each plugin that is on."""
        plugins = [
            plugin(collections, authorizer)
            for name, plugin in ADMISSION
            if not name or name in settings.plugins
        ]
        for plugin in plugins:
            plugin.configure(settings)
        self._admitting = _Asked(one for one in plugins if type(one).admit is not Plugin.admit)
        self._finishing = _Asked(one for one in plugins if type(one).finish is not Plugin.finish)
        self._checking = _Asked(one for one in plugins if type(one).check is not Plugin.check)
        mutates = has_mutating_policies and "MutatingAdmissionPolicy" in settings.plugins
        self._policies = MutatingPolicies(collections, authorizer) if mutates else None
        self.webhooks = Webhooks(collections, authorizer, settings)
        has_quotas = "ResourceQuota" in settings.plugins
        self._quota = ResourceQuota(collections, settings.limits) if has_quotas else None

    async def admit(self, review: Review) -> None:
        """Let every plugin change the object; raises Forbidden or what else a plugin answers.

        What policies or webhooks change may be news for those before them: then all that change
        objects have a second look.
        """
        await self._admit(review)
        mutations = [one for one in self._mutations(review) if one is not None]
        for mutation in mutations:
            await mutation.run()
        if any(mutation.is_wanted_again for mutation in mutations):
            await self._admit(review)
            for mutation in mutations:
                await mutation.run()
        for plugin in self._finishing.about(review.resource):
            await plugin.finish(review)

    def _mutations(self, review: Review) -> Iterator[PolicyMutation | Mutation | None]:
        if self._policies is not None:
            yield self._policies.mutation(review)
        yield self.webhooks.mutation(review)

    async def _admit(self, review: Review) -> None:
        for plugin in self._admitting.about(review.resource):
            await plugin.admit(review)

    async def check(self, review: Review) -> None:
        """Let every plugin refuse the object as it is about to be stored."""
        for plugin in self._checking.about(review.resource):
            await plugin.check(review)
        await self.webhooks.check(review)

    def charged(self, review: Review) -> AbstractAsyncContextManager[Charge]:
        """What quotas are charged for a write that nobody has anything else against.

        It is to be written with the object, within the block. Raises Forbidden when a quota does
        not allow it.
        """
        return (
            contextlib.nullcontext(Charge()) if self._quota is None else self._quota.charged(review)
        )

    async def close(self) -> None:
        """End what is under way, and close the connections to webhooks."""
        if self._quota is not None:
            await self._quota.close()
        await self.webhooks.close()
