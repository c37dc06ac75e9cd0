package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	kjson "sigs.k8s.io/json"
)

// endless are amounts that take Kubernetes minutes to read, and nobody means.
var endless = regexp.MustCompile(`[eE][-+]?[0-9]{5,}`)

func parse(text string) (resource.Quantity, error) {
	if endless.MatchString(text) {
		return resource.Quantity{}, errors.New("not asked: it takes too long")
	}
	return resource.ParseQuantity(text)
}

func init() {
	// A value in JSON: what JSON writes of it.
	answers["quantity"] = func(input string) (string, error) {
		if endless.MatchString(input) {
			return "", errors.New("not asked: it takes too long")
		}
		var object corev1.ResourceRequirements
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(`{"limits":{"a":`+input+`}}`), &object); err != nil {
			return "", err
		}
		text, err := json.Marshal(object.Limits["a"])
		return string(text), err
	}
	// A text: its amount in whole units, rounded up.
	answers["quantity-value"] = func(input string) (string, error) {
		value, err := parse(input)
		if err != nil {
			return "", err
		}
		return strconv.FormatInt(value.Value(), 10), nil
	}
	// Two texts: which of them is more.
	answers["quantity-order"] = func(input string) (string, error) {
		first, second, found := strings.Cut(input, " ")
		if !found {
			return "", errors.New("not two")
		}
		a, err := parse(first)
		if err != nil {
			return "", err
		}
		b, err := parse(second)
		if err != nil {
			return "", err
		}
		return strconv.Itoa(a.Cmp(b)), nil
	}
}
