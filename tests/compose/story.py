"""What is done with a cluster from a compose file: used, taken down, and found again."""

from collections.abc import Callable

import pytest

from tests.compose.project import Project

POD = ("--image-pull-policy=Never", "--command", "--", "sh", "-c")
SERVE = "trap 'exit 0' TERM; echo serving; while :; do sleep 1 & wait $!; done"
UID = ("--output=jsonpath={.metadata.uid}",)


def tell(project: Project, image: str, say: Callable[[str], object]) -> None:
    """Tell the story with a pod of `image`; AssertionError where it goes wrong."""
    use(project, image)
    say(project.etcdctl("endpoint", "status", "--write-out=table"))
    say(project.kubectl("get", "nodes,pods,configmaps", "--output=wide"))
    before = identities(project)
    project.down()
    project.up()
    say(project.compose("ps"))
    found_again(project)
    assert identities(project) == before
    say(project.kubectl("get", "nodes,pods,configmaps", "--output=wide"))


def use(project: Project, image: str) -> None:
    """Write to the store and to the cluster, and be refused without a certificate."""
    project.fetch_certificates()
    project.etcdctl("put", "greeting", "hello")
    with pytest.raises(AssertionError):
        project.etcdctl("get", "greeting", "--command-timeout=2s", certificate="")
    project.kubectl("create", "configmap", "kept", "--from-literal=colour=blue")
    project.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
    project.kubectl("run", "web", f"--image={image}", *POD, SERVE)
    project.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=90s")
    assert "serving" in project.kubectl("logs", "web")


def identities(project: Project) -> list[str]:
    """The uids of what was made: an object that was made anew has another."""
    names = ("configmap/kept", "pod/web", "namespace/default")
    return [project.kubectl("get", name, *UID) for name in names]


def found_again(project: Project) -> None:
    """Read through both doors what was written before."""
    assert project.etcdctl("get", "greeting", "--print-value-only") == "hello\n"
    keys = project.etcdctl("get", "/registry/", "--prefix", "--keys-only").split()
    assert "/registry/configmaps/default/kept" in keys
    assert project.kubectl("get", "configmap", "kept", "--output=jsonpath={.data.colour}") == "blue"
    project.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=90s")
    assert "serving" in project.kubectl("logs", "web")
