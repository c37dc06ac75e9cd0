package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func init() {
	// One document: its JSON.
	answers["yaml-decode"] = func(input string) (string, error) {
		text, err := yaml.YAMLToJSON([]byte(input))
		return string(text), err
	}
	// An object in JSON: what `kubectl get -o yaml` prints of it.
	answers["yaml-encode"] = func(input string) (string, error) {
		value, err := untyped(input)
		if err != nil {
			return "", err
		}
		text, err := yaml.Marshal(value)
		return string(text), err
	}
	// The documents of a file as kubectl reads and sends them, one a line.
	answers["yaml-documents"] = func(input string) (string, error) {
		reader := transform.NewReader(strings.NewReader(input), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
		decoder := utilyaml.NewYAMLOrJSONDecoder(reader, 4096)
		var lines []string
		for {
			var document runtime.RawExtension
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				return strings.Join(lines, "\n"), nil
			}
			if err != nil {
				return "", err
			}
			raw := bytes.TrimSpace(document.Raw)
			if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
				continue
			}
			value, err := untyped(string(raw))
			if err != nil {
				return "", err
			}
			line, err := json.Marshal(value)
			if err != nil {
				return "", err
			}
			lines = append(lines, string(line))
		}
	}
}
