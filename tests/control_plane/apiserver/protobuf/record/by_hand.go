package main

import (
	"bytes"
	"encoding/json"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/runtime/serializer/versioning"
	"k8s.io/apimachinery/pkg/watch"
	restwatch "k8s.io/client-go/rest/watch"
)

const encode = "encode" // what Go reads from such JSON it would itself write otherwise

// schemaText is what a schema is filled with: one that was filled like the rest would have no end.
const schemaText = `{"id":"i","$schema":"s","$ref":"r","description":"d","type":"object","format":"f","title":"t",
	"default":{"a":[1,null]},"maximum":5,"exclusiveMaximum":true,"minimum":-1.5,"maxLength":0,"minLength":3,"pattern":"p",
	"uniqueItems":true,"multipleOf":1e300,"enum":["a",1,{"b":{}}],"required":["a","b"],"maxProperties":9223372036854775807,
	"items":{"type":"string"},"allOf":[{"required":["x"]},{}],"oneOf":[{}],"anyOf":[{"type":"integer"}],"not":{"nullable":true},
	"properties":{"b":{"items":[{"type":"a"},{}]},"a":{"additionalProperties":true},"c":{"additionalProperties":false}},
	"additionalProperties":{"type":"string","x-kubernetes-int-or-string":true},"patternProperties":{"^x":{}},
	"dependencies":{"b":["x","y"],"a":{"type":"t"}},"additionalItems":false,"definitions":{"d":{}},
	"externalDocs":{"description":"d","url":"u"},"example":1.25,"x-kubernetes-preserve-unknown-fields":false,
	"x-kubernetes-embedded-resource":true,"x-kubernetes-list-map-keys":["k"],"x-kubernetes-list-type":"map",
	"x-kubernetes-map-type":"atomic","x-kubernetes-validations":[{"rule":"self > 0","message":"m","optionalOldSelf":false}]}`

// byHand is JSON that a client may send and that no Go program would: empty and null for absent.
var byHand = []struct{ version, kind, name, only, text string }{
	{"v1", "Pod", "empty and null", encode, `{"metadata":{"name":"p","labels":{},"annotations":null,
		"finalizers":[],"creationTimestamp":null,"ownerReferences":null},"spec":{"containers":[{"name":"c",
		"args":[],"command":null,"env":[{"name":"E","value":""},{"name":"F","value":null}],"resources":{},
		"ports":[]}],"volumes":[{"name":"v","emptyDir":{}},{"name":"w","emptyDir":null}],
		"nodeSelector":{},"securityContext":{},"hostNetwork":false,"terminationGracePeriodSeconds":0},
		"status":{}}`},
	{"v1", "Pod", "null in lists", encode, `{"metadata":{"finalizers":["a",null]},"spec":{"containers":[null,{"name":"c"}]}}`},
	{"v1", "Secret", "bytes", encode, `{"data":{"b":"","a":"AAECgP8=","c":null},"stringData":{"y":"","x":null},"immutable":false}`},
	{"v1", "ConfigMap", "order of keys", "", `{"data":{"b":"2","a":"1","ä":"3","Z":"4","":"5"},"binaryData":{"x":"eHg="},"immutable":true}`},
	{"v1", "ConfigMap", "long", "", `{"data":{"long":"` + string(bytes.Repeat([]byte("x"), 20000)) + `","short":"` + string(bytes.Repeat([]byte("y"), 127)) + `","next":"` + string(bytes.Repeat([]byte("z"), 128)) + `"}}`},
	{"v1", "Service", "int or string", "", `{"spec":{"ports":[{"port":80,"targetPort":"http"},{"port":81,"targetPort":8080},{"port":82,"targetPort":-1},{"port":83,"targetPort":0}]}}`},
	{"v1", "LimitRange", "quantities", encode, `{"spec":{"limits":[{"type":"Container","max":{"cpu":"0.5","memory":"1024Ki","a":1,"b":"1e3","c":null}}]}}`},
	{"v1", "Event", "times", "", `{"metadata":{"creationTimestamp":"1969-12-31T23:59:59Z"},"eventTime":"2026-01-02T03:04:05.000006Z","firstTimestamp":"2026-01-02T03:04:05Z","lastTimestamp":"0001-01-02T00:00:00Z","count":-1}`},
	{"v1", "Event", "zones", encode, `{"eventTime":"2026-01-02T03:04:05.123456+01:00","firstTimestamp":"2026-01-02T03:04:05-07:00","lastTimestamp":"0001-01-01T00:00:00Z"}`},
	{"coordination.k8s.io/v1", "Lease", "extremes", "", `{"metadata":{"generation":-9223372036854775808,"deletionGracePeriodSeconds":9223372036854775807},"spec":{"leaseDurationSeconds":-2147483648,"renewTime":"1969-12-31T23:59:59.999999Z"}}`},
	{"apps/v1", "ControllerRevision", "raw", "", `{"data":{"b":[null,true,1.5,"ü"],"a":{}},"revision":3}`},
	{"apps/v1", "ControllerRevision", "no raw", encode, `{"data":null,"revision":0}`},
	{"rbac.authorization.k8s.io/v1", "ClusterRole", "null list", encode, `{"rules":null,"aggregationRule":{"clusterRoleSelectors":[{}]}}`},
	{"v1", "Status", "failure", "", `{"metadata":{},"status":"Failure","message":"pods \"x\" not found","reason":"NotFound","details":{"name":"x","kind":"pods","causes":[{"reason":"FieldValueInvalid","message":"m","field":"spec.x"}],"retryAfterSeconds":1},"code":404}`},
	{"v1", "DeleteOptions", "preconditions", "", `{"gracePeriodSeconds":0,"preconditions":{"uid":"u","resourceVersion":"5"},"orphanDependents":false,"propagationPolicy":"Foreground","dryRun":["All"]}`},
	{"autoscaling/v1", "Scale", "plain", "", `{"metadata":{"name":"s","resourceVersion":"12"},"spec":{"replicas":3},"status":{"replicas":2,"selector":"a=b"}}`},
	{"policy/v1", "Eviction", "plain", "", `{"metadata":{"name":"p","namespace":"n"},"deleteOptions":{"gracePeriodSeconds":5}}`},
	{"authentication.k8s.io/v1", "TokenRequest", "plain", "", `{"metadata":{},"spec":{"audiences":["a","b"],"expirationSeconds":600,"boundObjectRef":null},"status":{"token":"t","expirationTimestamp":"2026-01-02T03:04:05Z"}}`},
	{"v1", "Binding", "plain", "", `{"metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}`},
}

// recordEvents prints the frames of a watch; their JSON is that of the line of the same event.
func recordEvents(scheme *runtime.Scheme) {
	whole := protobuf.NewSerializer(scheme, scheme)
	embedded := versioning.NewDefaultingCodecForScheme(scheme, whole, whole, schema.GroupVersion{Version: "v1"}, nil)
	var buffer bytes.Buffer
	framed := protobuf.LengthDelimitedFramer.NewFrameWriter(&buffer)
	stream := streaming.NewEncoder(framed, protobuf.NewRawSerializer(scheme, scheme))
	encoder := restwatch.NewEncoder(stream, embedded)
	named := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "c", ResourceVersion: "7"}, Data: map[string]string{"a": "1"}}
	marker := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{ResourceVersion: "9", Annotations: map[string]string{"k8s.io/initial-events-end": "true"}}}
	gone := &meta.Status{Status: "Failure", Code: 410, Reason: "Expired", Message: "too old resource version: 1 (2)"}
	for _, event := range []watch.Event{{Type: "ADDED", Object: named}, {Type: "BOOKMARK", Object: marker}, {Type: "ERROR", Object: gone}} {
		buffer.Reset()
		check(encoder.Encode(&event))
		object := event.Object.DeepCopyObject()
		kinds, _, err := scheme.ObjectKinds(object)
		check(err)
		object.GetObjectKind().SetGroupVersionKind(kinds[0])
		text, err := json.Marshal(map[string]any{"type": event.Type, "object": json.RawMessage(toJSON(object))})
		check(err)
		check(out.Encode(line{"watch event " + string(event.Type), "event", text, buffer.Bytes()}))
	}
}
