package main

import (
	"sort"

	"github.com/google/cel-go/checker"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

// environments is the base environment of expressions that a new definition may use.
var environments = environment.MustBaseEnvSet(version.MajorMinor(1, 37))

func init() {
	// The functions of the environment: a line for each overload, with its identifier, name, kind, argument types and
	// result type.
	answers["declarations"] = func([]byte) (any, error) {
		var lines []string
		for name, function := range environments.NewExpressionsEnv().Functions() {
			for index, overload := range function.OverloadDecls() {
				kind := "global"
				if overload.IsMemberFunction() {
					kind = "member"
				}
				line := name + "\t" + string(rune('a'+index)) + "\t" + overload.ID() + "\t" + kind + "\t"
				for index, argument := range overload.ArgTypes() {
					if index > 0 {
						line += ", "
					}
					line += checker.FormatCELType(argument)
				}
				lines = append(lines, line+"\t"+checker.FormatCELType(overload.ResultType()))
			}
		}
		sort.Strings(lines)
		return lines, nil
	}
}
