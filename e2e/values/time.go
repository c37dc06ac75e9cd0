package main

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"
)

func init() {
	// A value in JSON: what JSON and protobuf write of an object in which it stands.
	answers["time"] = func(input string) (string, error) {
		var object metav1.ManagedFieldsEntry
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(`{"time":`+input+`}`), &object); err != nil {
			return "", err
		}
		return inBoth(&object)
	}
	answers["micro-time"] = func(input string) (string, error) {
		var object coordinationv1.LeaseSpec
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(`{"renewTime":`+input+`}`), &object); err != nil {
			return "", err
		}
		return inBoth(&object)
	}
	// A message in protobuf, in hexadecimal: what JSON writes of an object in which it stands.
	answers["time-protobuf"] = func(input string) (string, error) {
		var object metav1.ManagedFieldsEntry
		return read(&object, input)
	}
	answers["micro-time-protobuf"] = func(input string) (string, error) {
		var object coordinationv1.LeaseSpec
		return read(&object, input)
	}
	// A text: what is written of it, with the words of refusals.
	answers["time-text"] = func(input string) (string, error) {
		value, err := time.Parse(time.RFC3339, input)
		return value.UTC().Format(time.RFC3339), err
	}
	answers["micro-time-text"] = func(input string) (string, error) {
		value, err := time.Parse(metav1.RFC3339Micro, input)
		return value.UTC().Format(metav1.RFC3339Micro), err
	}
	// Where a time is no pointer, and where nothing is written of one that is not set.
	answers["time-in-struct"] = func(input string) (string, error) {
		var object struct {
			Metadata  metav1.ObjectMeta `json:"metadata"`
			Condition metav1.Condition  `json:"condition"`
		}
		text := strings.ReplaceAll(`{"metadata":{"creationTimestamp":$,"deletionTimestamp":$},"condition":{"lastTransitionTime":$}}`, "$", input)
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &object); err != nil {
			return "", err
		}
		metadata, err := inBoth(&object.Metadata)
		if err != nil {
			return "", err
		}
		condition, err := inBoth(&object.Condition)
		return metadata + " " + condition, err
	}
	answers["duration"] = func(input string) (string, error) {
		value, err := time.ParseDuration(input)
		return value.String(), err
	}
}

type message interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

func inBoth(object message) (string, error) {
	encoded, err := object.Marshal()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(object)
	if err != nil {
		return "", err
	}
	return string(text) + " " + hex.EncodeToString(encoded), nil
}

func read(object message, input string) (string, error) {
	encoded, err := hex.DecodeString(input)
	if err != nil {
		return "", err
	}
	// The time is field 4 of both.
	if err := object.Unmarshal(append([]byte{34, byte(len(encoded))}, encoded...)); err != nil {
		return "", err
	}
	text, err := json.Marshal(object)
	return string(text), err
}
