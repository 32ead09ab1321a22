"""Rules of webhook configurations.

Called through the VALIDATORS table. An update may keep what was stored though newer rules forbid
it. Source: v1.35 admissionregistration validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.policies.mistakes import condition_mistakes
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import admission_rules, formats
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.labels import validate_selector
from control_plane.api.validation.webhook_clients import validate_client_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_SECONDS: Final = 30
_REVIEW_VERSIONS: Final = ("v1", "v1beta1")
_SIDE_EFFECTS: Final = ("None", "NoneOnDryRun")
_ALL_SIDE_EFFECTS: Final = ("None", "NoneOnDryRun", "Some", "Unknown")
_REINVOCATION: Final = ("IfNeeded", "Never")


@dataclass(frozen=True, slots=True)
class _Strictness:
    """Which rules hold: on an update, those that the stored configuration keeps."""

    side_effects: bool = True
    review_versions: bool = True
    unique_names: bool = True
    match_conditions: bool = True


def validate_configuration(configuration: Object) -> Iterator[FieldError]:
    """Check a new ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""
    yield from _validate(configuration, _Strictness())


def validate_configuration_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of one."""
    hooks, stored = _webhooks(new), _webhooks(old)
    names = [hook.get("name") for hook in stored if hook.get("name")]
    strictness = _Strictness(
        side_effects=all(hook.get("sideEffects") in _SIDE_EFFECTS for hook in stored),
        review_versions=all(_is_recognized(hook) for hook in stored),
        unique_names=len(set(names)) == len(names),
        match_conditions=not semantically_equal(_conditions(hooks), _conditions(stored)),
    )
    yield from _validate(new, strictness)


def _webhooks(configuration: Object) -> list[Object]:
    return configuration.get("webhooks") or []


def _is_recognized(hook: Object) -> bool:
    return bool(set(hook.get("admissionReviewVersions") or []) & set(_REVIEW_VERSIONS))


def _conditions(hooks: list[Object]) -> list[object]:
    return [hook.get("matchConditions") for hook in hooks]


def _validate(configuration: Object, strictness: _Strictness) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, hook in enumerate(_webhooks(configuration)):
        path, name = f"webhooks[{index}]", hook.get("name") or ""
        yield from _validate_webhook(hook, path, strictness)
        yield from _validate_versions(
            hook.get("admissionReviewVersions") or [],
            f"{path}.admissionReviewVersions",
            must_recognize=strictness.review_versions,
        )
        if strictness.unique_names and name in seen:
            yield duplicate(f"{path}.name", name)
        seen |= {name} if name else set()


def _validate_webhook(hook: Object, path: str, strictness: _Strictness) -> Iterator[FieldError]:
    yield from _validate_name(hook.get("name") or "", f"{path}.name")
    for index, rule in enumerate(hook.get("rules") or []):
        yield from admission_rules.validate_rule(rule, f"{path}.rules[{index}]")
    for field, allowed in (
        ("failurePolicy", admission_rules.FAILURE_POLICIES),
        ("matchPolicy", admission_rules.MATCH_POLICIES),
    ):
        yield from _one_of(hook, field, allowed, path)
    effects = _SIDE_EFFECTS if strictness.side_effects else _ALL_SIDE_EFFECTS
    if hook.get("sideEffects") is None:
        yield required(f"{path}.sideEffects", f"must specify one of {', '.join(effects)}")
    yield from _one_of(hook, "sideEffects", effects, path)
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= MAX_SECONDS:
        detail = "the timeout value must be between 1 and 30 seconds"
        yield invalid(f"{path}.timeoutSeconds", seconds, detail)
    for field in ("namespaceSelector", "objectSelector"):
        yield from validate_selector(hook.get(field), f"{path}.{field}")
    yield from _one_of(hook, "reinvocationPolicy", _REINVOCATION, path)
    yield from validate_client_config(hook.get("clientConfig") or {}, f"{path}.clientConfig")
    if strictness.match_conditions:
        where = f"{path}.matchConditions"
        yield from admission_rules.validate_conditions(hook.get("matchConditions"), where)
        yield from condition_mistakes(hook.get("matchConditions") or [], where)


def _one_of(hook: Object, field: str, allowed: tuple[str, ...], path: str) -> Iterator[FieldError]:
    value = hook.get(field)
    if value is not None and value not in allowed:
        yield not_supported(f"{path}.{field}", value, allowed)


def _validate_name(name: str, path: str) -> Iterator[FieldError]:
    errors = formats.dns1123_subdomain(name)
    if not name:
        yield required(path)
    elif errors:
        yield invalid(path, name, ",".join(errors))
    elif name.count(".") < 2:
        yield invalid(
            path, name, "should be a domain with at least three segments separated by dots"
        )


def _validate_versions(
    versions: list[str], path: str, *, must_recognize: bool
) -> Iterator[FieldError]:
    known = ", ".join(_REVIEW_VERSIONS)
    if not versions:
        yield required(path, f"must specify one of {known}")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        yield from invalid_each(f"{path}[{index}]", version, formats.dns1035_label(version))
    if must_recognize and not set(versions) & set(_REVIEW_VERSIONS):
        yield invalid(path, versions, f"must include at least one of {known}")
