package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
)

// read takes objects in JSON, one a line, as strictly as can be, and prints each in protobuf (base64),
// or what is wrong with it.
func read(scheme *runtime.Scheme, from io.Reader) {
	strict := json.SerializerOptions{Strict: true}
	reader := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, strict)
	writer := protobuf.NewSerializer(scheme, scheme)
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 10<<20)
	for lines.Scan() {
		obj, kind, err := reader.Decode(lines.Bytes(), nil, nil)
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		obj.GetObjectKind().SetGroupVersionKind(*kind)
		var encoded bytes.Buffer
		check(writer.Encode(obj, &encoded))
		fmt.Println(base64.StdEncoding.EncodeToString(encoded.Bytes()))
	}
	check(lines.Err())
}
