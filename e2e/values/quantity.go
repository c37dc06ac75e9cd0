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

// large are the parts of an amount with an exponent of five digits or more.
var large = regexp.MustCompile(`([0-9.]*)[eE]([-+]?[0-9]{5,})`)

var errEndless = errors.New("not asked: it takes too long")

// endless reports an amount that takes Kubernetes minutes to read: its exponent is far from 0, and it has more digits
// than 64 bits, or is negative.
func endless(text string) bool {
	parts := large.FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	power, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return false
	}
	// Of 64 bits it keeps the lower.
	exponent := int64(int32(power))
	return exponent < -9_999 || (exponent > 9_999 && len(parts[1]) > 18)
}

// parse reads an amount to compute with, which takes minutes for all exponents far from 0.
func parse(text string) (resource.Quantity, error) {
	if large.MatchString(text) {
		return resource.Quantity{}, errEndless
	}
	return resource.ParseQuantity(text)
}

func init() {
	// A value in JSON: what JSON writes of it.
	answers["quantity"] = func(input string) (string, error) {
		if endless(input) {
			return "", errEndless
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
