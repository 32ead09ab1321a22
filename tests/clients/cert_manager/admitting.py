"""cert-manager's webhooks: what they refuse, what they fill in, and what is when they are away."""

import json
from typing import Any

from tests.clients.cert_manager.objects import APP, certificate, certificate_request
from tests.clients.cert_manager.stage import Stage
from tests.support.wait import wait_until

ACCOUNT = "person"
DENIED = 'admission webhook "webhook.cert-manager.io" denied the request: '
NOTHING_NAMED = (
    'spec: Invalid value: "": at least one of commonName (from the commonName field or from a '
    "literalSubject), dnsNames, uriSANs, ipAddresses, emailSANs or otherNames must be set"
)
RENEWED_TOO_LATE = "certificate duration 1h0m0s must be greater than renewBefore 2h0m0s"
IDENTITY = "spec.username: Forbidden: username identity cannot be changed once set"
NOT_CALLED = 'failed calling webhook "webhook.cert-manager.io"'


def refuse(stage: Stage) -> None:
    """The validating webhook's words reach the user, and nothing is stored."""
    for spec, words in (
        ({"dnsNames": None}, NOTHING_NAMED),
        ({"duration": "1h", "renewBefore": "2h"}, RENEWED_TOO_LATE),
    ):
        said = stage.refusal("apply", "-f", "-", stdin=_wrong(**spec))
        assert DENIED in said, said
        assert words in said, said
    assert stage.absent("certificate", "wrong", "-n", APP)


def _wrong(**spec: Any) -> str:
    return json.dumps(certificate("wrong", "ca-issuer", **spec))


def identify(stage: Stage) -> None:
    """The mutating webhook writes who asks into a request; no one may change it later."""
    stage.kubectl("create", "serviceaccount", ACCOUNT, "-n", APP)
    stage.kubectl("create", "rolebinding", ACCOUNT, "-n", APP, "--clusterrole=edit",
                  f"--serviceaccount={APP}:{ACCOUNT}")  # fmt: skip
    kubeconfig = f"--kubeconfig={stage.kubeconfig_of(ACCOUNT, APP)}"
    asked = json.dumps(certificate_request("by-hand", "ca-issuer"))
    stage.kubectl("create", "-f", "-", kubeconfig, stdin=asked)
    spec = stage.until_ready("certificaterequest", "by-hand", "-n", APP)["spec"]
    assert spec["username"] == f"system:serviceaccount:{APP}:{ACCOUNT}", spec
    assert f"system:serviceaccounts:{APP}" in spec["groups"], spec
    change = json.dumps({"spec": {"username": "another"}})
    words = (
        "patch",
        "certificaterequest",
        "by-hand",
        "-n",
        APP,
        "--type=merge",
        f"--patch={change}",
    )
    said = stage.refusal(*words)
    assert DENIED in said, said
    assert IDENTITY in said, said


def fail_closed(stage: Stage) -> None:
    """Without the webhook nothing is stored (failurePolicy Fail); with it again, all is well."""
    stage.stop("webhook")
    asked = json.dumps(certificate("late", "ca-issuer"))
    said = stage.refusal("apply", "-f", "-", stdin=asked)
    assert NOT_CALLED in said, said
    assert stage.absent("certificate", "late", "-n", APP)
    stage.start("webhook")
    words = ("apply", "-f", "-")
    wait_until(lambda: stage.cluster.run_kubectl(*words, stdin=asked).returncode == 0, "a webhook")
    stage.until_ready("certificate", "late", "-n", APP)
