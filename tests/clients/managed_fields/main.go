// Records what Kubernetes' own libraries make of applies and updates by several managers.
//
// Sequences of writes are made at random, from a seed, for a table of kinds; each write goes
// through the field manager that kube-apiserver uses. One line of JSON per sequence goes to
// standard output: the writes, and after each one the object or the error. The tests that play them
// again read them compressed:
//
//	go run . --count 30 | gzip -9n > ../../control_plane/api/recorded_applies.jsonl.gz
//	go run . --merges --count 60 | gzip -9n > ../../control_plane/api/recorded_merges.jsonl.gz
//	go run . --fields > ../../../control_plane/api/apply/struct_fields.json
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"os"
)

// Step is one write. Object is what the client sends; Result what the object is afterwards, absent
// when the write was refused with Error.
type Step struct {
	Operation   string         `json:"op"`
	Manager     string         `json:"manager,omitempty"`
	Force       bool           `json:"force,omitempty"`
	Subresource string         `json:"subresource,omitempty"`
	Object      map[string]any `json:"object,omitempty"`
	Error       string         `json:"error,omitempty"`
	Result      map[string]any `json:"result,omitempty"`
}

// Sequence is the life of one object.
type Sequence struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Steps      []Step `json:"steps"`
}

func main() {
	seed := flag.Int64("seed", 1, "what the sequences are made from")
	count := flag.Int("count", 24, "sequences of each kind")
	length := flag.Int("length", 6, "writes of each sequence")
	fields := flag.Bool("fields", false, "say instead what is known of the fields of structs")
	merges := flag.Bool("merges", false, "record strategic merge patches instead")
	flag.Parse()
	if *fields {
		fmt.Print(structFields())
		return
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for number, kind := range kinds {
		for turn := range *count {
			random := rand.New(rand.NewSource(*seed + int64(1000*number+turn)))
			if *merges {
				if made, ok := merge(kind, random); ok {
					encode(encoder, made)
				}
				continue
			}
			encode(encoder, play(kind, random, *length, turn == 0))
		}
	}
}

func encode(encoder *json.Encoder, record any) {
	if err := encoder.Encode(record); err != nil {
		log.Fatal(err)
	}
}
