"""What Helm and kubectl are asked to do, in order, how it ends, and a text that it says.

`{ns}` is the namespace of the run, `{charts}` the folder of the charts; `{force}` lets Helm 4,
which applies in the server, take fields from others as Helm 3 does.
"""

from tests.clients.steps import Step

WAIT = "--wait --timeout 150s"
GADGET = "helm upgrade gadget {charts}/gadgets {force}"

STEPS: tuple[Step, ...] = (
    Step("helm install shop {charts}/shop --dry-run=server --create-namespace", "within a budget"),
    Step("helm install shop {charts}/shop", 'namespaces "{ns}" not found', 1),
    Step(f"helm install shop {{charts}}/shop --create-namespace {WAIT}", "STATUS: deployed"),
    Step("helm install shop {charts}/shop", "a name that is still in use", 1),
    Step("helm list", "shop-1.0.0"),
    Step("helm list --all-namespaces --output json", '"name":"shop"'),
    Step("helm status shop", "STATUS: deployed"),
    Step("helm get all shop", "kind: NetworkPolicy"),
    Step("helm get metadata shop", "DEPLOYED_AT"),
    Step("helm history shop", "Install complete"),
    Step("kubectl get pod shop-post-install", "shop-post-install"),
    Step("kubectl get pod shop-pre-install", "not found", 1),
    Step("kubectl get deploy shop -o jsonpath={.status.readyReplicas}", "2"),
    Step("helm test shop --logs --timeout 150s", "the greeting is hello"),
    # drift: what somebody else wrote stays, what the chart says is put back
    Step("kubectl set env deployment/shop MINE=1", "env updated"),
    Step("kubectl scale deployment shop --replicas=3", "scaled"),
    Step('kubectl patch cm shop -p {"data":{"mine":"1","greeting":"lost"}}', "patched"),
    Step(f"helm upgrade shop {{charts}}/shop --set greeting=ciao {{force}} {WAIT}",
         "has been upgraded"),
    Step("kubectl get cm shop -o jsonpath={.data}", '{"greeting":"ciao","mine":"1"}'),
    Step("kubectl get deploy shop -o jsonpath={.spec.template.spec.containers[0].env[*].name}",
         "MINE"),
    Step("helm get values shop", "greeting: ciao"),
    Step("kubectl get cm shop-cache -o jsonpath={.data.found}", "{ns}"),
    Step(f"helm upgrade shop {{charts}}/shop --reuse-values --set replicas=1 {{force}} {WAIT}",
         "REVISION: 3"),
    Step("kubectl get cm shop -o jsonpath={.data.greeting}", "ciao"),
    # what cannot be changed
    Step("helm upgrade shop {charts}/shop --set selector=other {force}", "field is immutable", 1),
    Step("helm history shop", "failed"),
    Step(f"helm rollback shop 1 {{force}} {WAIT}", "Rollback was a success"),
    Step("kubectl get cm shop -o jsonpath={.data.greeting}", "hello"),
    Step("helm rollback shop 99", "release has no 99 version", 1),
    Step("helm upgrade shop {charts}/shop --set host=A_b {force}", "a lowercase RFC 1123 subdomain",
         1),
    # hand-over between releases, and the end of one
    Step("kubectl create serviceaccount taken", "created"),
    Step("helm install taken {charts}/shop", "invalid ownership metadata", 1),
    Step(f"helm install taken {{charts}}/shop --take-ownership --set cache.enabled=false {WAIT}",
         "STATUS: deployed"),
    Step("helm uninstall taken --wait --cascade foreground", 'release "taken" uninstalled'),
    Step("helm uninstall shop --keep-history --wait", "kept due to the resource policy"),
    Step("kubectl get secret shop-orders", "shop-orders"),
    Step("helm list --uninstalled", "shop-1.0.0"),
    Step(f"helm rollback shop 3 {{force}} {WAIT}", "Rollback was a success"),
    Step("helm uninstall shop --wait", 'release "shop" uninstalled'),
    Step("helm history shop", "release: not found", 1),
    Step("kubectl wait --for=delete deploy,rs,pod -l app.kubernetes.io/instance=shop "
         "--timeout=150s"),
    # a kind of its own
    Step(f"helm install gadget {{charts}}/gadgets {WAIT}", "STATUS: deployed"),
    Step("kubectl get gg", "AGE"),
    Step("kubectl explain gadget.spec.size", "How large it is to be."),
    Step("kubectl scale gadget gadget --replicas=5", "scaled"),
    Step(f"{GADGET} --set size=1", "no more parts than it is large", 1),
    Step(f"{GADGET} --set color=blue", "paint does not come off", 1),
    Step(f"{GADGET} --set size=0", "greater than or equal to 1", 1),
    Step(f"{GADGET} --set color=green", 'supported values: "red"', 1),
    Step(f"{GADGET} --set size=4", "has been upgraded"),
    Step("kubectl get gg gadget -o jsonpath={.spec.size}{.spec.parts[0].count}", "41"),
    Step("helm rollback gadget 1 {force}", "Rollback was a success"),
    Step("helm uninstall gadget --wait", 'release "gadget" uninstalled'),
    Step("kubectl get crd gadgets.shop.example", "gadgets.shop.example"),
    Step("kubectl delete crd gadgets.shop.example", "deleted"),
    Step("kubectl delete namespace {ns}", "deleted"),
)  # fmt: skip
