package main

import (
	"encoding/json"
	"fmt"

	kjson "sigs.k8s.io/json"
)

func init() {
	// A value in JSON: what is written of it where its fields have no types.
	answers["number"] = func(input string) (string, error) {
		value, err := untyped(input)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(value)
		return string(text), err
	}
	answers["go-value"] = func(input string) (string, error) {
		value, err := untyped(input)
		return fmt.Sprintf("%v", value), err
	}
	answers["go-syntax"] = func(input string) (string, error) {
		value := map[string]any{}
		err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(input), &value)
		return fmt.Sprintf("%#v", value), err
	}
	answers["go-quote"] = func(input string) (string, error) {
		return fmt.Sprintf("%q", input), nil
	}
}

func untyped(text string) (any, error) {
	var value any
	err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &value)
	return value, err
}
