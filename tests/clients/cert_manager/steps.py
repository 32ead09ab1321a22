"""What is done with cert-manager, in order: each step stands on those before it."""

from collections.abc import Callable
from typing import NamedTuple

from tests.clients.cert_manager import admitting, installing, issuing, removing
from tests.clients.cert_manager.stage import Stage


class Step(NamedTuple):
    """What should hold, and what does it: it raises AssertionError when something differs."""

    says: str
    done: Callable[[Stage], None]


STEPS: tuple[Step, ...] = (
    Step("CRDs applied by the client are established", installing.apply_crds),
    Step("CRDs applied by the server stay so", installing.apply_crds_server_side),
    Step("roles are applied and the parts start", installing.install),
    Step("the cainjector fills the caBundle of both webhooks", installing.inject_ca),
    Step("a self-signed issuer passes the webhook and is Ready", installing.reach_webhook),
    Step("a self-signed CA and its issuer are Ready", issuing.make_authority),
    Step("a certificate of the CA is Ready", issuing.issue),
    Step("printer columns", issuing.show_columns),
    Step("the Secret is managed by server-side apply", issuing.manage_secret),
    Step("a status update renews a certificate", issuing.renew),
    Step("the validating webhook refuses in its words", admitting.refuse),
    Step("the mutating webhook fills in who asks", admitting.identify),
    Step("nothing is admitted while the webhook is down", admitting.fail_closed),
    Step("foreground deletion takes the requests along", removing.delete_in_foreground),
    Step("the namespace goes", removing.delete_namespace),
    Step("the CRDs go once their last object is let go", removing.delete_crds),
)
