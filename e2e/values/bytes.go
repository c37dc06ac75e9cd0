package main

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	kjson "sigs.k8s.io/json"
)

func init() {
	// A value in JSON of a Secret's data: what JSON writes of it.
	answers["bytes"] = func(input string) (string, error) {
		var secret corev1.Secret
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(`{"data":{"a":`+input+`}}`), &secret); err != nil {
			return "", err
		}
		text, err := json.Marshal(secret.Data["a"])
		return string(text), err
	}
}
