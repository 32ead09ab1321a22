"""What admission is told at its start."""

from dataclasses import dataclass, field

from control_plane.api.pod_security.configuration import PodSecurityConfiguration
from control_plane.api.quota.limited import Limited
from control_plane.apiserver.admission_configuration.credentials import Credentials
from control_plane.apiserver.admission_configuration.plugin_names import BY_DEFAULT


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """Which plugins there are, by upstream's names, and what the configuration file says."""

    plugins: frozenset[str] = BY_DEFAULT
    pod_security: PodSecurityConfiguration = field(default_factory=PodSecurityConfiguration)
    limits: tuple[Limited, ...] = ()
    mutating_webhooks: Credentials = field(default_factory=Credentials)
    validating_webhooks: Credentials = field(default_factory=Credentials)
