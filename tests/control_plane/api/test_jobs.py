"""Jobs and cron jobs: defaults, the generated selector, rules and tables."""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_create, strategy_for
from control_plane.api.resources import CRONJOBS, JOBS, Resource
from control_plane.api.validation import validate_create, validate_update
from tests.control_plane.api.valid_objects import (
    Obj,
    broken,
    cells,
    complete,
    create_errors,
    named,
    shown,
    update_errors,
)

POD: Obj = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}


def job(**spec: Any) -> Obj:
    obj = named(JOBS, spec={"template": {"spec": POD}, **spec})
    obj["metadata"]["uid"] = "u"
    return obj


def indexed(**spec: Any) -> Obj:
    return job(completionMode="Indexed", **{"completions": 3, "parallelism": 2, **spec})


def failing(*rules: Obj, **spec: Any) -> Obj:
    return job(podFailurePolicy={"rules": list(rules)}, **spec)


def cron_job(**spec: Any) -> Obj:
    template = {"spec": {"template": {"spec": POD}}}
    return named(CRONJOBS, spec={"schedule": "0 * * * *", "jobTemplate": template, **spec})


def test_defaults_of_a_job() -> None:
    obj = job(template={"metadata": {"labels": {"a": "b"}}, "spec": POD})
    apply_defaults(JOBS, obj)
    assert obj["metadata"]["labels"] == {"a": "b"}
    del obj["spec"]["template"]
    assert obj["spec"] == {
        "completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed",
        "suspend": False, "podReplacementPolicy": "TerminatingOrFailed", "manualSelector": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"completions": 3}, {"completions": 3, "parallelism": 1}),
        ({"parallelism": 3}, {"completions": None, "parallelism": 3}),
        ({"backoffLimitPerIndex": 1}, {"backoffLimit": 2**31 - 1}),
        ({"podFailurePolicy": {}}, {"podReplacementPolicy": "Failed"}),
        (
            {"podFailurePolicy": {"rules": [{"onPodConditions": [{"type": "x"}]}]}},
            {
                "podFailurePolicy": {
                    "rules": [{"onPodConditions": [{"type": "x", "status": "True"}]}]
                }
            },
        ),
    ],
)
def test_defaults_that_depend_on_others(spec: Obj, expected: Obj) -> None:
    obj = job(**copy.deepcopy(spec))
    apply_defaults(JOBS, obj)
    assert {field: obj["spec"].get(field) for field in expected} == expected


def test_defaults_of_a_cron_job() -> None:
    obj = cron_job()
    apply_defaults(CRONJOBS, obj)
    template = obj["spec"].pop("jobTemplate")
    assert obj["spec"] == {
        "schedule": "0 * * * *", "concurrencyPolicy": "Allow", "suspend": False,
        "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
    }  # fmt: skip
    assert list(template["spec"]) == ["template"], "the job's own defaults come with the job"
    assert template["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


def test_a_job_selects_its_own_pods() -> None:
    obj = complete(JOBS, job(template={"metadata": {"labels": {"job-name": "mine"}}, "spec": POD}))
    assert obj["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    assert obj["spec"]["template"]["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "x",
        "controller-uid": "u", "job-name": "mine",
    }  # fmt: skip
    assert (obj["metadata"]["generation"], obj["status"]) == (1, {})
    manual = job(manualSelector=True)
    prepare_for_create(JOBS, manual, now="2026-01-01T00:00:00Z")
    assert "selector" not in manual["spec"]


def test_a_deleted_job_leaves_its_pods() -> None:
    assert strategy_for(JOBS).default_propagation == "Orphan"
    assert strategy_for(CRONJOBS).default_propagation == "Background"


@pytest.mark.parametrize("obj", [job(), indexed(), job(manualSelector=True, selector={})])
def test_a_plain_job_is_valid(obj: Obj) -> None:
    assert create_errors(JOBS, obj) == []


def test_a_plain_cron_job_is_valid() -> None:
    assert create_errors(CRONJOBS, cron_job(timeZone="Etc/UTC")) == []


NEGATIVE = "must be greater than or equal to 0"
RULE = "spec.podFailurePolicy.rules[0]"
IGNORE: Obj = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
BROKEN = [
    *broken(
        JOBS,
        *(
            (job(**{field: -1}), f"spec.{field}: Invalid value: -1: {NEGATIVE}")
            for field in ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished")
        ),
        (
            indexed(maxFailedIndexes=1),
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        (
            job(managedBy="me"),
            'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as '
            '"acme.io/foo")',
        ),
        (
            job(managedBy="a.example/" + "b" * 60),
            "spec.managedBy: Too long: may not be more than 63 bytes",
        ),
        (
            job(completionMode="Some"),
            'spec.completionMode: Unsupported value: "Some": supported values: "Indexed", '
            '"NonIndexed"',
        ),
        (
            indexed(completions=None),
            "spec.completions: Required value: when completion mode is Indexed",
        ),
        (
            indexed(parallelism=100001),
            "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when "
            "completion mode is Indexed",
        ),
        (
            indexed(backoffLimitPerIndex=1, maxFailedIndexes=4),
            "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions",
        ),
        (
            indexed(backoffLimitPerIndex=1, completions=100001),
            "spec.maxFailedIndexes: Required value: must be specified when completions is above "
            "100000",
        ),
        (
            job(backoffLimitPerIndex=1),
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
        ),
        (
            job(template={"spec": {**POD, "restartPolicy": "Always"}}),
            'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        ),
        (
            failing(IGNORE, template={"spec": {**POD, "restartPolicy": "OnFailure"}}),
            'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is '
            "supported when podFailurePolicy is specified",
        ),
        (
            failing({**IGNORE, "action": ""}),
            f'{RULE}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" '
            '"Ignore"]',
        ),
        (
            failing({**IGNORE, "action": "FailIndex"}),
            f'{RULE}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be '
            "set",
        ),
        (
            failing({"action": "Ignore"}),
            f"{RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ),
        (
            failing({**IGNORE, "onExitCodes": {"operator": "In", "values": [1]}}),
            f"{RULE}: Invalid value: specifying both OnExitCodes and OnPodConditions is not "
            "supported",
        ),
        (
            failing({"action": "Count", "onExitCodes": {"operator": "In", "values": [2, 0, 2]}}),
            f"{RULE}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
        ),
        (
            failing({"action": "Count", "onExitCodes": {"operator": "In", "values": [2, 1]}}),
            f"{RULE}.onExitCodes.values: Invalid value: [2,1]: must be ordered",
        ),
        (
            failing({"action": "Count", "onExitCodes": {"operator": "In", "containerName": "d"}}),
            f'{RULE}.onExitCodes.containerName: Invalid value: "d": must be one of the container '
            "or initContainer names in the pod template",
        ),
        (
            failing(*[IGNORE] * 21),
            "spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items",
        ),
        (
            failing(IGNORE, podReplacementPolicy="TerminatingOrFailed"),
            'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported '
            'values: "Failed"',
        ),
        (
            indexed(successPolicy={"rules": []}),
            "spec.successPolicy.rules: Required value: at least one rules must be specified when "
            "the successPolicy is specified",
        ),
        (
            indexed(successPolicy={"rules": [{"succeededCount": 2, "succeededIndexes": "0"}]}),
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 2: must be less than or "
            "equal to 1 (the number of indexes in the specified succeededIndexes field)",
        ),
        (
            indexed(successPolicy={"rules": [{"succeededIndexes": "7"}]}),
            'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "7": error parsing '
            'succeededIndexes: too large index: "7"',
        ),
        (
            job(manualSelector=True),
            "spec.selector: Required value",
        ),
        (
            job(manualSelector=True),
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match "
            "template `labels`",
        ),
        (
            job(template={"metadata": {"labels": {"job-name": "mine"}}, "spec": POD}),
            "spec.template.metadata.labels[job-name]: Invalid value: "
            '{"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"x",'
            '"controller-uid":"u","job-name":"mine"}: must be \'x\'',
        ),
    ),
    *broken(
        CRONJOBS,
        (cron_job(schedule=""), "spec.schedule: Required value"),
        (
            cron_job(schedule="a b c d"),
            'spec.schedule: Invalid value: "a b c d": expected exactly 5 fields, found 4: '
            "[a b c d]",
        ),
        (
            cron_job(schedule="TZ=UTC 0 * * * *"),
            'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in '
            "schedule, use timeZone field instead",
        ),
        (
            cron_job(timeZone="Europe/Atlantis"),
            'spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis',
        ),
        (
            cron_job(timeZone=""),
            'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string',
        ),
        (
            cron_job(concurrencyPolicy="Some"),
            'spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", '
            '"Forbid", "Replace"',
        ),
        (
            cron_job(failedJobsHistoryLimit=-1),
            f"spec.failedJobsHistoryLimit: Invalid value: -1: {NEGATIVE}",
        ),
        (
            cron_job(jobTemplate={"spec": {"template": {"spec": POD}, "selector": {}}}),
            "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated",
        ),
        (
            cron_job(jobTemplate={"spec": {"template": {"spec": POD}, "manualSelector": True}}),
            "spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "
            '"nil", "false"',
        ),
        (
            {**cron_job(), "metadata": {"name": "x" * 53, "namespace": "default"}},
            f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters',
        ),
    ),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


def test_a_selector_of_other_pods_is_not_the_generated_one() -> None:
    obj = complete(JOBS, job())
    obj["spec"]["selector"] = {"matchLabels": {"a": "b"}}
    messages = shown(validate_create(JOBS, obj))
    assert (
        'spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` not auto-generated'
        in messages
    )


UPDATES: list[tuple[Obj, Obj, list[str]]] = [
    ({"completions": 1, "parallelism": 5, "suspend": True}, {}, []),
    ({"completions": 2}, {}, ["spec.completions: Invalid value: 2: field is immutable"]),
    (
        {"completionMode": "Indexed", "completions": 4, "parallelism": 4},
        {"completionMode": "Indexed", "completions": 2, "parallelism": 2},
        [],
    ),
    (
        {"completionMode": "Indexed", "completions": 4, "parallelism": 3},
        {"completionMode": "Indexed", "completions": 2, "parallelism": 2},
        [
            "spec.completions: Invalid value: 4: can only be modified in tandem with "
            "spec.parallelism"
        ],
    ),
    (
        {"managedBy": "a.example/b"},
        {},
        ['spec.managedBy: Invalid value: "a.example/b": field is immutable'],
    ),
]


FAILING = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}


def test_a_policy_that_cannot_change_is_shown_as_the_struct_it_is() -> None:
    manual = {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}}
    pod = {**POD, "restartPolicy": "Never"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    new = job(**manual, template=template, podFailurePolicy=FAILING)
    assert update_errors(JOBS, new, job(**manual, template=template)) == [
        'spec.podFailurePolicy: Invalid value: {"Rules":[{"Action":"FailJob","OnExitCodes":'
        '{"ContainerName":null,"Operator":"In","Values":[42]},"OnPodConditions":null}]}: '
        "field is immutable"
    ]


@pytest.mark.parametrize(("new", "old", "expected"), UPDATES)
def test_updates(new: Obj, old: Obj, expected: list[str]) -> None:
    manual = {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
    changed, stored = (job(**manual, template=template, **spec) for spec in (new, old))
    assert update_errors(JOBS, changed, stored) == expected


@pytest.mark.parametrize(("suspended", "started"), [(True, False), (True, True), (False, False)])
def test_a_suspended_job_that_never_ran_may_go_elsewhere(suspended: bool, started: bool) -> None:
    old = complete(JOBS, job(suspend=suspended))
    old["metadata"]["resourceVersion"] = "1"
    if started:
        old["status"]["startTime"] = "2026-01-01T00:00:00Z"
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "fast"}
    messages = shown(validate_update(JOBS, new, old))
    assert [m.partition(":")[0] for m in messages] == (
        [] if suspended and not started else ["spec.template"]
    )


DONE: Obj = {
    "conditions": [{"type": "Complete", "status": "True"}],
    "startTime": "2026-01-01T00:00:00Z",
    "completionTime": "2026-01-01T00:00:09Z",
}


def test_tables() -> None:
    running = {"spec": {"parallelism": 2}, "status": {"startTime": "2026-01-02T23:00:00Z"}}
    assert cells(JOBS, running) == [
        ("Name", "x"), ("Status", "Running"), ("Completions", "0/1 of 2"), ("Duration", "60m"),
        ("Age", "2d"), ("Containers*", ""), ("Images*", ""), ("Selector*", "<none>"),
    ]  # fmt: skip
    done = dict(cells(JOBS, {"spec": {"completions": 1}, "status": {**DONE, "succeeded": 1}}))
    assert (done["Status"], done["Completions"], done["Duration"]) == ("Complete", "1/1", "9s")
    assert cells(CRONJOBS, cron_job(suspend=True)) == [
        ("Name", "x"), ("Schedule", "0 * * * *"), ("Timezone", "<none>"), ("Suspend", "True"),
        ("Active", 0), ("Last Schedule", "<none>"), ("Age", "2d"), ("Containers*", "c"),
        ("Images*", "i"), ("Selector*", "<none>"),
    ]  # fmt: skip
