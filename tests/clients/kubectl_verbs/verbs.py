"""What kubectl is asked to do, in order, how it ends, and a text that it says.

`{ns}` is the namespace of the run; there are no controllers and no node, so pods stay Pending.
"""

from tests.clients.steps import Step

MAPS = """apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {a: "1"}
"""
CHANGED = MAPS.replace('"1"', '"2"')
UNKNOWN_FIELD = MAPS.replace("\ndata:", "\ndatax:")
NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: node-of-{ns}}\n"
ROLE = """apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reconciled, namespace: {ns}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
RESIZED = '{"spec":{"containers":[{"name":"sized","resources":{"requests":{"cpu":"2m"}}}]}}'
IMAGE = '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"nginx:3"}]'
SIZED = """apiVersion: v1
kind: Pod
metadata: {name: sized}
spec: {containers: [{name: sized, image: nginx, resources: {requests: {cpu: 1m}}}]}
"""

STEPS: tuple[Step, ...] = (
    Step("create namespace {ns}", "created"),
    Step("create serviceaccount default", "created"),
    Step("create deployment web --image=nginx --replicas=2 --port=80", "created"),
    Step("get deploy web -o wide", "CONTAINERS"),
    Step("get deploy web -o yaml", "kind: Deployment"),
    Step("get deploy web -o jsonpath={.spec.replicas}", "2"),
    Step("get deploy web -o custom-columns=N:.metadata.name", "web"),
    Step("get deploy -l app=web --sort-by=.metadata.name --show-labels", "app=web"),
    Step("get deploy --field-selector metadata.name=web -o name", "deployment.apps/web"),
    Step("describe deploy web", "RollingUpdateStrategy"),
    Step("scale deploy web --replicas=3", "scaled"),
    Step("autoscale deploy web --max=5 --min=2", "autoscaled"),
    Step("rollout history deploy web", "No rollout history found"),
    Step("rollout pause deploy web", "paused"),
    Step("rollout resume deploy web", "resumed"),
    Step("rollout restart deploy web", "restarted"),
    Step("set image deploy/web nginx=nginx:2", "image updated"),
    Step("set env deploy/web A=b", "env updated"),
    Step("set resources deploy/web --limits=cpu=200m", "requirements updated"),
    Step("set serviceaccount deploy web default", "serviceaccount updated"),
    Step("expose deploy web --port=80", "exposed"),
    Step("set selector svc web a=b", "selector updated"),
    Step("label deploy web x=y", "labeled"),
    Step("label deploy web x-", "unlabeled"),
    Step("annotate deploy web n=1", "annotated"),
    Step('patch deploy web -p {"spec":{"replicas":4}}', "patched"),
    Step(f"patch deploy web --type=json -p {IMAGE}", "patched"),
    Step('patch deploy web --type=merge -p {"spec":{"replicas":2}}', "patched"),
    Step('patch deploy web --subresource=scale --type=merge -p {"spec":{"replicas":3}}', "patched"),
    Step("run p --image=nginx --labels=a=b --env=X=1 -- sleep 1", "created"),
    Step("create -f -", "created", stdin=SIZED),
    Step(f"patch pod sized --subresource=resize -p {RESIZED}", "patched"),
    Step("debug p --image=nginx --target=p --attach=false", "debugger"),
    Step("create configmap cm --from-literal=a=1", "created"),
    Step("create secret generic s --from-literal=a=1", "created"),
    Step("create secret docker-registry reg --docker-server=x --docker-username=u "
         "--docker-password=p", "created"),
    Step("create job j --image=nginx", "created"),
    Step("create cronjob cj --image=nginx --schedule=@hourly", "created"),
    Step("create job j2 --from=cronjob/cj", "created"),
    Step("create role r --verb=get --resource=pods", "created"),
    Step("create rolebinding rb --role=r --user=jane", "created"),
    Step("create clusterrole cr-{ns} --verb=get --resource=nodes", "created"),
    Step("create clusterrolebinding cr-{ns} --clusterrole=cr-{ns} --user=jane", "created"),
    Step("create quota q --hard=pods=10", "created"),
    Step("create poddisruptionbudget b --selector=app=web --min-available=1", "created"),
    Step("create priorityclass pc-{ns} --value=5", "created"),
    Step("create ingress i --rule=a.example/*=web:80", "created"),
    Step("create service nodeport np --tcp=80:80", "created"),
    Step("create service externalname en --external-name=a.example", "created"),
    Step("create token default --duration=10m", "."),
    Step("get all", "deployment.apps/web"),
    Step("get quota,pdb,ingress,cronjob,job,cm,secret,svc", "cronjob.batch/cj"),
    Step("get pods -A --chunk-size=1", "sized"),
    Step("describe pod p", "Pending"),
    Step("describe svc web", "Endpoints:"),
    Step("describe ns {ns}", "kubernetes.io/metadata.name"),
    Step("describe ingress,cronjob,role,quota", "a.example"),
    Step("apply -f -", "configmap/two created", stdin=MAPS),
    Step("diff -f -", '+  a: "2"', 1, CHANGED),
    Step("apply -f - --dry-run=server", "configured (server dry run)", stdin=CHANGED),
    Step("apply -f -", "configmap/one configured", stdin=CHANGED),
    Step("apply --server-side --force-conflicts -f -", "serverside-applied", stdin=CHANGED),
    Step("apply view-last-applied cm one", "data:"),
    Step("replace -f -", "replaced", stdin=CHANGED),
    Step("wait --for=jsonpath={.data.a}=2 cm/one --timeout=30s", "condition met"),
    Step("apply -f -", 'unknown field "datax"', 1, UNKNOWN_FIELD),
    Step("apply -f - --validate=warn", 'unknown field "datax"', stdin=UNKNOWN_FIELD),
    Step("delete -f -", 'configmap "two" deleted', stdin=CHANGED),
    Step("wait --for=delete cm/one --timeout=30s"),
    Step("explain pod.spec.containers.resizePolicy", "restartPolicy"),
    Step("explain deploy --recursive", "progressDeadlineSeconds"),
    Step("api-resources", "validatingadmissionpolicies"),
    Step("api-versions", "resource.k8s.io/v1"),
    Step("cluster-info", "is running at"),
    Step("version", "Server Version: v1.35"),
    Step("auth can-i create pods", "yes"),
    Step("auth can-i list pods --as=jane", "no", 1),
    Step("auth can-i --list", "selfsubjectreviews"),
    Step("auth whoami", "Username"),
    Step("auth reconcile -f -", "reconciled", stdin=ROLE),
    Step("create -f -", "created", stdin=NODE),
    Step("cordon node-of-{ns}", "cordoned"),
    Step("taint node node-of-{ns} a=b:NoSchedule", "tainted"),
    Step("taint node node-of-{ns} a-", "untainted"),
    Step("uncordon node-of-{ns}", "uncordoned"),
    Step("drain node-of-{ns} --force", "drained"),
    Step("describe node node-of-{ns}", "Unschedulable"),
    Step("delete node node-of-{ns}", "deleted"),
    Step("events", "No events"),
    Step("get --raw /readyz?verbose", "readyz check passed"),
    Step("logs p -c p", "does not have a host assigned", 1),
    Step("exec p -c p -- true", "does not have a host assigned", 1),
    Step("attach p -c p", "does not have a host assigned", 1),
    Step("port-forward p 1:1", "pod is not running", 1),
    Step("top pod", "Metrics API not available", 1),
    Step("get nosuch", "doesn't have a resource type", 1),
    Step("get pod nosuch", 'pods "nosuch" not found', 1),
    Step("delete pod p --grace-period=0 --force", "force"),
    Step("delete deploy,svc,hpa,job,cronjob --all", "deleted"),
    Step("delete priorityclass pc-{ns}", "deleted"),
    Step("delete clusterrole,clusterrolebinding cr-{ns}", "deleted"),
    Step("delete ns {ns} --wait=false", "deleted"),
)  # fmt: skip
