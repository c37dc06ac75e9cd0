package main

import (
	"encoding/json"
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	kjson "sigs.k8s.io/json"
)

func init() {
	answers["label-selector"] = func(input string) (string, error) {
		selector, err := labels.Parse(input)
		if err != nil {
			return "", err
		}
		return selector.String(), nil
	}
	// A selector, and labels in lines `KEY=VALUE`.
	answers["label-match"] = func(input string) (string, error) {
		lines := strings.Split(input, "\n")
		selector, err := labels.Parse(lines[0])
		if err != nil {
			return "", err
		}
		set := labels.Set{}
		for _, line := range lines[1:] {
			key, value, _ := strings.Cut(line, "=")
			set[key] = value
		}
		return word(selector.Matches(set)), nil
	}
	// A LabelSelector in JSON: the selector it stands for.
	answers["label-selector-from-object"] = func(input string) (string, error) {
		var object metav1.LabelSelector
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(input), &object); err != nil {
			return "", errors.New("no LabelSelector")
		}
		selector, err := metav1.LabelSelectorAsSelector(&object)
		if err != nil {
			return "", err
		}
		return selector.String(), nil
	}
	// The LabelSelector that stands for a selector: what JSON writes of it.
	answers["label-selector-to-object"] = func(input string) (string, error) {
		object, err := metav1.ParseToLabelSelector(input)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(object)
		return string(text), err
	}
	answers["field-selector"] = func(input string) (string, error) {
		selector, err := fields.ParseSelector(input)
		if err != nil {
			return "", err
		}
		return selector.String(), nil
	}
}

func word(value bool) string {
	if value {
		return "yes"
	}
	return "no"
}
