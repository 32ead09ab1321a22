// Prints what Kubernetes' own content negotiation makes of Accept headers: for objects, which may be
// converted, for watches of them and for documents that may not be converted (errors). Each line is
// {"header", "of", "media_type", "as", "pretty"}; no media type: 406, with the error's text.
package main

import (
	"encoding/json"
	"net/http"
	"os"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/endpoints/handlers/negotiation"
)

type line struct {
	Header    string `json:"header"`
	Of        string `json:"of"`
	MediaType string `json:"media_type,omitempty"`
	As        string `json:"as,omitempty"`
	Pretty    bool   `json:"pretty,omitempty"`
	Error     string `json:"error,omitempty"`
}

// convertible allows what the endpoints of built-in resources allow.
type convertible struct{}

func (convertible) AllowsMediaTypeTransform(kind, subtype string, target *schema.GroupVersionKind) bool {
	if target == nil {
		return true
	}
	if target.Group != "meta.k8s.io" || target.Version != "v1" && target.Version != "v1beta1" {
		return false
	}
	switch target.Kind {
	case "Table":
		return kind == "application" && (subtype == "json" || subtype == "yaml")
	case "PartialObjectMetadata", "PartialObjectMetadataList":
		return true
	}
	return false
}
func (convertible) AllowsServerVersion(string) bool       { return false }
func (convertible) AllowsStreamSchema(schema string) bool { return schema == "watch" }

const (
	protobuf = "application/vnd.kubernetes.protobuf"
	meta     = ";g=meta.k8s.io;v=v1"
)

var headers = []string{
	"", "*/*", "*", "application/*", "*/json", "application/json", "application/yaml", protobuf, "text/html",
	"text/plain, */*", "application/json, text/plain", "application/cbor", "application/cbor, application/json",
	protobuf + ",application/json", "application/json," + protobuf, protobuf + ", */*", "*/*, " + protobuf,
	"application/json;q=0.5, application/yaml;q=0.9", "application/json;q=0.9," + protobuf + ";q=0.8, */*;q=0.1",
	"application/yaml;q=0, application/json;q=0", "application/yaml;q=0", "application/json;q=abc, application/yaml;q=0.1",
	"text/html;q=1.0, " + protobuf + ";q=0.3, application/yaml;q=0.7", "*/*;q=1, application/yaml;q=0.2",
	"application/yaml;q=0.2, */*;q=1", "application/*;q=1, application/yaml;q=0.1, */*", "application/yaml, application/*;q=0.9",
	"application/json;q=0.1, application/yaml;q=0.2, " + protobuf + ";q=0.3, application/*;q=0.9, */*;q=1",
	"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
	"application/json;pretty=1", "application/json;pretty=0", "application/yaml;pretty=1", "application/json;pretty=true",
	"application/json;stream=watch", protobuf + ";stream=watch", "application/yaml;stream=watch", "application/json;stream=other",
	"application/json;stream=other, application/json", "application/json;sv=v1", "application/json;sv=", "application/json;export=1",
	"application/json;profile=local", "application/json;unknown=x", "application/json;charset=utf-8", "application/json; q = 0.5 , application/yaml",
	"Application/JSON", "application/JSON", "application", "application/", "/json", "application/json/x", ",", ",application/yaml", ";", "application/json;;q=0.1,application/yaml",
	"application/json;as", "application/json;as=", "application/json;as=Table=x" + meta, "application/json;g=meta.k8s.io",
	"application/json;as=Table" + meta, "application/json;as=Table;g=meta.k8s.io;v=v1beta1", "application/json;as=Table;g=meta.k8s.io;v=v2",
	"application/json;as=Table;g=other;v=v1", "application/json;as=Table;v=v1", "application/json;as=Nothing" + meta,
	"application/yaml;as=Table" + meta, protobuf + ";as=Table" + meta, protobuf + ";as=Table" + meta + ",application/json",
	protobuf + ";as=Table" + meta + ",application/json;as=Table" + meta, "*/*;as=Table" + meta, "application/*;as=Table" + meta,
	"application/json;as=Table" + meta + ",application/json;as=Table;g=meta.k8s.io;v=v1beta1,application/json",
	protobuf + ";as=PartialObjectMetadata" + meta, protobuf + ";as=PartialObjectMetadataList" + meta,
	protobuf + ";as=PartialObjectMetadataList" + meta + ",application/json;as=PartialObjectMetadataList" + meta + ",application/json",
	"application/json;as=PartialObjectMetadata" + meta, "application/yaml;as=PartialObjectMetadata" + meta,
	"application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2,application/json",
	"application/yaml, application/json", "application/yaml;q=0.5, application/json;q=0.1", "  application/json  ", "\"application/json\"",
	"application/json;as=\"Table\"" + meta, "application/json ;as=Table ; g= meta.k8s.io;v=v1", "application / json",
}

func main() {
	scheme := runtime.NewScheme()
	if err := core.AddToScheme(scheme); err != nil {
		panic(err)
	}
	codecs := serializer.NewCodecFactory(scheme)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, header := range headers {
		request := &http.Request{Header: http.Header{"Accept": []string{header}}}
		for _, of := range []struct {
			name  string
			rules negotiation.EndpointRestrictions
		}{{"object", convertible{}}, {"error", negotiation.DefaultEndpointRestrictions}} {
			options, _, err := negotiation.NegotiateOutputMediaType(request, codecs, of.rules)
			print(out, header, of.name, options, err)
		}
		_, err := negotiation.NegotiateOutputMediaTypeStream(request, codecs, convertible{})
		options, _ := negotiation.NegotiateMediaTypeOptions(header, codecs.SupportedMediaTypes(), convertible{})
		print(out, header, "watch", options, err)
	}
}

func print(out *json.Encoder, header, of string, options negotiation.MediaTypeOptions, err error) {
	made := line{Header: header, Of: of}
	if err != nil {
		made.Error = err.Error()
	} else {
		made.MediaType, made.Pretty = options.Accepted.MediaType, options.Pretty
		if options.Convert != nil {
			made.As = options.Convert.Kind + "." + options.Convert.Version
		}
	}
	if err := out.Encode(made); err != nil {
		panic(err)
	}
}
