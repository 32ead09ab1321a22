"""The file of --admission-control-config-file: an AdmissionConfiguration, read and checked.

It has a configuration for each plugin that is named in it, in place or in a file of its own, whose
path is relative to this one. Source: apiserver.config.k8s.io/v1 of v1.35.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from control_plane.api.pod_security import configuration as pod_security
from control_plane.api.quota import limited
from control_plane.apiserver.admission_configuration.credentials import Credentials
from control_plane.apiserver.admission_configuration.plugin_names import NOT_HERE, ORDER
from control_plane.client.config import ConfigError

KIND: Final = "AdmissionConfiguration"
API_VERSIONS: Final = ("apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1alpha1")
_WEBHOOK_KINDS: Final = {  # by apiVersion
    "apiserver.config.k8s.io/v1": "WebhookAdmissionConfiguration",
    "apiserver.config.k8s.io/v1alpha1": "WebhookAdmission",
}
Document = Mapping[str, Any]


class ConfigurationError(ValueError):
    """The file makes no sense; the text is one line that names the place."""


def read_configuration(path: Path) -> dict[str, Any]:
    """What a file says, by the names of fields of AdmissionSettings.

    Raises ConfigurationError, or OSError for a file that cannot be read.
    """
    document = _document(path)
    if document.get("apiVersion") not in API_VERSIONS or document.get("kind") != KIND:
        raise ConfigurationError(f"this is no {KIND} of {API_VERSIONS[0]}")
    plugins = document.get("plugins") or []
    if not isinstance(plugins, list):
        raise ConfigurationError("plugins: give a list")
    found: dict[str, Any] = {}
    for index, entry in enumerate(plugins):
        try:
            field, value = _configured(entry, path)
        except (ValueError, ConfigError) as error:
            raise ConfigurationError(f"plugins[{index}]: {error}") from error
        if field in found:
            raise ConfigurationError(f"plugins[{index}]: {entry['name']} is configured twice")
        found[field] = value
    return found


def _configured(entry: Any, path: Path) -> tuple[str, Any]:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError("name: Required value")
    if name in NOT_HERE:
        raise ValueError(f"the plugin {name} is not supported")
    if name not in ORDER:
        raise ValueError(f"the plugin {name} is unknown")
    if name not in _READERS:
        raise ValueError(f"the plugin {name} has no configuration")
    field, read = _READERS[name]
    inner = entry.get("configuration")
    if inner is None:
        if not entry.get("path"):
            raise ValueError("give a configuration, or the path of one")
        inner = _document(path.parent / str(entry["path"]))
    if not isinstance(inner, dict):
        raise ValueError("configuration: give a mapping")
    try:
        return field, read(inner)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _document(path: Path) -> Document:
    try:
        found = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        text = f"{path} is no YAML: {' '.join(str(error).split())}"
        raise ConfigurationError(text) from error
    except OSError as error:
        text = f"{path}: {error.strerror}: give a file that can be read"
        raise ConfigurationError(text) from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} has no mapping")
    return found


def _credentials(document: Document) -> Credentials:
    version, kind = document.get("apiVersion"), document.get("kind")
    if version not in _WEBHOOK_KINDS or kind != _WEBHOOK_KINDS[version]:
        first = next(iter(_WEBHOOK_KINDS))
        raise ValueError(f"this is no {_WEBHOOK_KINDS[first]} of {first}")
    for name in document.keys() - {"apiVersion", "kind", "kubeConfigFile"}:
        raise ValueError(f"{name}: unknown field")
    path = document.get("kubeConfigFile")
    if not path:
        return Credentials()
    if not Path(str(path)).is_absolute():
        raise ValueError(f'kubeConfigFile must be an absolute file path, it is "{path}"')
    return Credentials.read(Path(str(path)))


_READERS: Final[Mapping[str, tuple[str, Callable[[Document], Any]]]] = {
    "PodSecurity": ("pod_security", pod_security.configuration_of),
    "ResourceQuota": ("limits", limited.limits_of),
    "MutatingAdmissionWebhook": ("mutating_webhooks", _credentials),
    "ValidatingAdmissionWebhook": ("validating_webhooks", _credentials),
}
