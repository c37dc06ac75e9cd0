package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

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
	// The printable characters in a range of code points such as "0-ffff", as ranges of the same form.
	answers["printable"] = func(input string) (string, error) {
		first, last, _ := strings.Cut(input, "-")
		from, err := strconv.ParseUint(first, 16, 32)
		if err != nil {
			return "", err
		}
		to, err := strconv.ParseUint(last, 16, 32)
		if err != nil || to > unicode.MaxRune {
			return "", fmt.Errorf("%q is no code point: %v", last, err)
		}
		var ranges []string
		for at := from; at <= to; at++ {
			begin := at
			for at <= to && strconv.IsPrint(rune(at)) {
				at++
			}
			if begin < at {
				ranges = append(ranges, fmt.Sprintf("%x-%x", begin, at-1))
			}
		}
		return strings.Join(ranges, ","), nil
	}
}

func untyped(text string) (any, error) {
	var value any
	err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &value)
	return value, err
}
