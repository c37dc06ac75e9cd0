package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types/ref"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/mutation/dynamic"
	kjson "sigs.k8s.io/json"
)

// policy is a question about an expression of an admission policy.
type policy struct {
	// Policy is the expression.
	Policy string
	// Declares has the variables and types besides those of every policy.
	Declares struct {
		Params, Authorizer, PatchTypes bool
	}
	// Variables are the names and expressions of composited variables.
	Variables [][2]string
	// Values are the values of variables.
	Values map[string]json.RawMessage
}

// accessor is an expression of any type.
type accessor struct{ name, expression string }

func (a accessor) GetName() string          { return a.name }
func (a accessor) GetExpression() string    { return a.expression }
func (a accessor) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType, cel.DynType} }

func init() {
	answers["policy"] = answerPolicy
}

func answerPolicy(question []byte) (any, error) {
	var asked policy
	if err := json.Unmarshal(question, &asked); err != nil {
		return nil, err
	}
	compiler, err := plugincel.NewCompositedCompiler(environments)
	if err != nil {
		return nil, err
	}
	options := plugincel.OptionalVariableDeclarations{
		HasParams:     asked.Declares.Params,
		HasAuthorizer: asked.Declares.Authorizer,
	}
	for _, variable := range asked.Variables {
		compiler.CompileAndStoreVariable(accessor{variable[0], variable[1]}, options, environment.NewExpressions)
	}
	options.HasPatchTypes = asked.Declares.PatchTypes
	compiled := compiler.CompileCELExpression(accessor{"", asked.Policy}, options, environment.NewExpressions)
	if compiled.Error != nil {
		return answer{Error: compiled.Error.Error()}, nil
	}
	result := answer{Type: compiled.OutputType.String()}
	if asked.Values == nil {
		return result, nil
	}
	values := map[string]any{}
	for name, text := range asked.Values {
		var decoded any
		if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &decoded); err != nil {
			return nil, err
		}
		values[name] = common.SchemalessTypedToVal(decoded)
	}
	composition := compiler.CreateContext(context.Background())
	values["variables"] = composition.Variables(values)
	value, details, err := compiled.Program.ContextEval(composition, values)
	switch {
	case err != nil:
		result.Failure = err.Error()
	default:
		result.Value, err = showPatch(value)
		if err != nil {
			result.Failure = err.Error()
		}
	}
	if details == nil {
		return nil, errors.New("no cost")
	}
	cost := *details.ActualCost() + uint64(composition.GetAndResetCost())
	result.Cost = &cost
	return result, nil
}

// showPatch writes a value, or the object that an apply configuration is.
func showPatch(value ref.Val) (string, error) {
	object, isObject := value.(*dynamic.ObjectVal)
	if !isObject {
		return show(value), nil
	}
	if err := object.CheckTypeNamesMatchFieldPathNames(); err != nil {
		return "", err
	}
	text, err := json.Marshal(object.Value())
	return string(text), err
}
