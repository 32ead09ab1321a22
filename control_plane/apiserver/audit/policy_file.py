"""The audit policy's file: read, and checked field by field.

Source: audit.k8s.io/v1 of Kubernetes v1.35 and the texts of its validation.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from control_plane.api.field_error import FieldError, invalid, not_supported, required
from control_plane.apiserver.audit.policy import LEVELS, GroupResources, Policy, Rule, Stage

API_VERSION, KIND = "audit.k8s.io/v1", "Policy"
_POLICY_FIELDS = ("apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields")
_LISTS = ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "omitStages")
_RULE_FIELDS = ("level", "resources", "omitManagedFields", *_LISTS)
_RESOURCE_FIELDS = ("group", "resources", "resourceNames")
_STAGES = "allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic"


class PolicyError(ValueError):
    """The file is no audit policy; the text names the field."""


def read_policy(path: Path) -> Policy:
    """Read a file; raises PolicyError or OSError."""
    return policy_of(path.read_bytes())


def policy_of(content: bytes) -> Policy:
    """Return the policy of a document in YAML or JSON; raises PolicyError."""
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(f"this is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise PolicyError(f"this is no {KIND} of {API_VERSION}")
    if document.get("apiVersion") != API_VERSION or document.get("kind") != KIND:
        found = f"{document.get('apiVersion')}, Kind={document.get('kind')}"
        raise PolicyError(
            f"unknown group version field {found} in policy: give {API_VERSION} {KIND}"
        )
    errors = list(_policy_errors(document))
    if errors:
        raise PolicyError("; ".join(map(str, errors)))
    return Policy(
        tuple(_rule(rule) for rule in document["rules"]),
        frozenset(document.get("omitStages") or ()),
        bool(document.get("omitManagedFields")),
    )


def _rule(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        LEVELS[rule["level"]],
        tuple(rule.get("users") or ()),
        tuple(rule.get("userGroups") or ()),
        tuple(rule.get("verbs") or ()),
        tuple(_resources(one) for one in rule.get("resources") or ()),
        tuple(rule.get("namespaces") or ()),
        tuple(rule.get("nonResourceURLs") or ()),
        frozenset(rule.get("omitStages") or ()),
        rule.get("omitManagedFields"),
    )


def _resources(entry: Mapping[str, Any]) -> GroupResources:
    names = entry.get("resourceNames") or ()
    return GroupResources(
        entry.get("group") or "", tuple(entry.get("resources") or ()), tuple(names)
    )


def _policy_errors(document: Mapping[str, Any]) -> Iterator[FieldError]:
    yield from _unknown(document, _POLICY_FIELDS, "")
    yield from _stage_errors(document.get("omitStages"), "omitStages")
    yield from _flag_errors(document, "")
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules:
        yield required("rules", "loaded illegal policy with 0 rules")
        return
    for index, rule in enumerate(rules):
        path = f"rules[{index}]"
        if isinstance(rule, dict):
            yield from _rule_errors(rule, path)
        else:
            yield invalid(path, rule, "give a mapping")


def _rule_errors(rule: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    yield from _unknown(rule, _RULE_FIELDS, path)
    yield from _flag_errors(rule, f"{path}.")
    if not isinstance(rule.get("level"), str) or rule["level"] not in LEVELS:
        yield not_supported(f"{path}.level", rule.get("level", ""), list(LEVELS))
    wrong = [name for name in _LISTS if not _is_strings(rule.get(name))]
    yield from (invalid(f"{path}.{name}", rule[name], "give a list of strings") for name in wrong)
    if wrong:
        return
    yield from _stage_errors(rule.get("omitStages"), f"{path}.omitStages")
    urls = rule.get("nonResourceURLs") or ()
    if urls and (rule.get("resources") or rule.get("namespaces")):
        text = "rules cannot apply to both regular resources and non-resource URLs"
        yield invalid(f"{path}.nonResourceURLs", urls, text)
    for position, url in enumerate(urls):
        yield from _url_errors(url, f"{path}.nonResourceURLs[{position}]")
    yield from _resources_errors(rule.get("resources"), f"{path}.resources")


def _url_errors(url: str, path: str) -> Iterator[FieldError]:
    if url == "*":
        return
    if not url.startswith("/"):
        yield invalid(path, url, "non-resource URL rules must begin with a '/' character")
    if "*" in url[:-1]:
        text = "non-resource URL wildcards '*' must be the final character of the rule"
        yield invalid(path, url, text)


def _resources_errors(entries: Any, path: str) -> Iterator[FieldError]:
    if not isinstance(entries or [], list):
        yield invalid(path, entries, "give a list")
        return
    for index, entry in enumerate(entries or ()):
        where = f"{path}[{index}]"
        if not isinstance(entry, dict):
            yield invalid(where, entry, "give a mapping")
            continue
        yield from _unknown(entry, _RESOURCE_FIELDS, where)
        group = entry.get("group") or ""
        if not isinstance(group, str) or "/" in group:
            yield invalid(f"{where}.group", group, "give a group without its version")
        for name in ("resources", "resourceNames"):
            if not _is_strings(entry.get(name)):
                yield invalid(f"{where}.{name}", entry[name], "give a list of strings")
        if entry.get("resourceNames") and not entry.get("resources"):
            text = "using resourceNames requires at least one resource"
            yield invalid(f"{where}.resourceNames", entry["resourceNames"], text)


def _stage_errors(stages: Any, path: str) -> Iterator[FieldError]:
    if not _is_strings(stages):
        yield invalid(path, stages, "give a list of strings")
        return
    for index, stage in enumerate(stages or ()):
        if stage not in list(Stage):
            yield invalid(f"{path}[{index}]", stage, _STAGES)


def _flag_errors(found: Mapping[str, Any], prefix: str) -> Iterator[FieldError]:
    value = found.get("omitManagedFields")
    if value is not None and not isinstance(value, bool):
        yield invalid(f"{prefix}omitManagedFields", value, "give true or false")


def _unknown(found: Mapping[str, Any], known: Sequence[str], path: str) -> Iterator[FieldError]:
    for name, value in found.items():
        if name not in known:
            yield invalid(f"{path}.{name}".lstrip("."), value, "unknown field")


def _is_strings(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))
