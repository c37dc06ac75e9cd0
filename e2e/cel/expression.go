package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	internal "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
	kjson "sigs.k8s.io/json"
)

// expression is a question about an expression, alone or on a value of a schema.
type expression struct {
	Expression string
	Schema     json.RawMessage
	Self       json.RawMessage
	OldSelf    json.RawMessage
	Root       bool
	Repeat     int
}

type answer struct {
	// Error is what the compiler says.
	Error string `json:"error,omitempty"`
	// Type is the static type.
	Type string `json:"type,omitempty"`
	// Min and Max are the static estimate of the cost.
	Min *uint64 `json:"min,omitempty"`
	Max *uint64 `json:"max,omitempty"`
	// Value is the result.
	Value string `json:"value,omitempty"`
	// Failure is the error of the evaluation.
	Failure string `json:"failure,omitempty"`
	// Cost is what the evaluation cost.
	Cost *uint64 `json:"cost,omitempty"`
	// Seconds is the time of the repetitions.
	Seconds float64 `json:"seconds,omitempty"`
}

func init() {
	answers["expression"] = answerExpression
}

func answerExpression(question []byte) (any, error) {
	var asked expression
	if err := json.Unmarshal(question, &asked); err != nil {
		return nil, err
	}
	set := environments
	estimator := &library.CostEstimator{}
	variables := map[string]any{}
	if asked.Schema != nil {
		structural, err := structural(asked.Schema)
		if err != nil {
			return nil, err
		}
		declared := model.SchemaDeclType(structural, asked.Root)
		if declared == nil {
			return nil, errors.New("the schema has no declared type")
		}
		scoped := declared.MaybeAssignTypeName("selfType")
		set, err = set.Extend(environment.VersionedOptions{
			IntroducedVersion: version.MajorMinor(1, 0),
			EnvOptions: []cel.EnvOption{
				cel.Variable("self", scoped.CelType()),
				cel.Variable("oldSelf", scoped.CelType()),
			},
			DeclTypes: []*apiservercel.DeclType{scoped},
		})
		if err != nil {
			return nil, err
		}
		estimator.SizeEstimator = &sizes{root: declared}
		sts := structural
		if asked.Root {
			sts = model.WithTypeAndObjectMeta(sts)
		}
		for name, value := range map[string]json.RawMessage{"self": asked.Self, "oldSelf": asked.OldSelf} {
			if value == nil {
				continue
			}
			var decoded any
			if err := kjson.UnmarshalCaseSensitivePreserveInts(value, &decoded); err != nil {
				return nil, err
			}
			variables[name] = schemacel.UnstructuredToVal(decoded, sts)
		}
	}
	env := set.NewExpressionsEnv()
	ast, issues := env.Compile(asked.Expression)
	if issues != nil {
		return answer{Error: issues.String()}, nil
	}
	result := answer{Type: checker.FormatCELType(ast.OutputType())}
	cost, err := env.EstimateCost(ast, estimator)
	if err != nil {
		return nil, err
	}
	result.Min, result.Max = &cost.Min, &cost.Max
	if asked.Schema != nil && asked.Self == nil {
		return result, nil
	}
	program, err := env.Program(ast, cel.CostLimit(celconfig.PerCallLimit), cel.CostTracking(estimator))
	if err != nil {
		result.Failure = "program instantiation failed: " + err.Error()
		return result, nil
	}
	value, details, err := program.Eval(variables)
	if err != nil {
		result.Failure = err.Error()
	} else {
		result.Value = show(value)
	}
	if details != nil {
		result.Cost = details.ActualCost()
	}
	if asked.Repeat > 0 {
		started := time.Now()
		for range asked.Repeat {
			_, _, _ = program.Eval(variables)
		}
		result.Seconds = time.Since(started).Seconds()
	}
	return result, nil
}

func structural(text []byte) (*schema.Structural, error) {
	external := &v1.JSONSchemaProps{}
	if err := json.Unmarshal(text, external); err != nil {
		return nil, err
	}
	converted := &internal.JSONSchemaProps{}
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, converted, nil); err != nil {
		return nil, err
	}
	return schema.NewStructural(converted)
}

// sizes gives the sizes that a schema allows, as the validation of definitions does.
type sizes struct {
	root *apiservercel.DeclType
}

func (s *sizes) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	if len(element.Path()) == 0 {
		return nil
	}
	current := s.root
	for _, name := range element.Path()[1:] {
		switch name {
		case "@items", "@values":
			if current.ElemType == nil {
				return nil
			}
			current = current.ElemType
		case "@keys":
			if current.KeyType == nil {
				return nil
			}
			current = current.KeyType
		default:
			field, found := current.Fields[name]
			if !found || field.Type == nil {
				return nil
			}
			current = field.Type
		}
	}
	return &checker.SizeEstimate{Min: 0, Max: uint64(current.MaxElements)}
}

func (s *sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// show writes a value.
func show(value ref.Val) string {
	switch value := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return strconv.FormatBool(bool(value))
	case types.Int:
		return strconv.FormatInt(int64(value), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(value), 10) + "u"
	case types.Double:
		return "double(" + strconv.FormatFloat(float64(value), 'g', -1, 64) + ")"
	case types.String:
		text, _ := json.Marshal(string(value))
		return string(text)
	case types.Bytes:
		return "bytes(" + hex.EncodeToString(value) + ")"
	case types.Duration:
		return "duration(" + value.Duration.String() + ")"
	case types.Timestamp:
		return "timestamp(" + value.Time.Format(time.RFC3339Nano) + ")"
	case *types.Optional:
		if value.HasValue() {
			return "optional(" + show(value.GetValue()) + ")"
		}
		return "optional()"
	case *types.Type:
		return "type(" + value.TypeName() + ")"
	case apiservercel.Quantity:
		return "quantity(" + value.Quantity.String() + ")"
	case *apiservercel.Quantity:
		return "quantity(" + value.Quantity.String() + ")"
	case apiservercel.URL:
		return "url(" + value.URL.String() + ")"
	case apiservercel.IP:
		return "ip(" + value.Addr.String() + ")"
	case apiservercel.CIDR:
		return "cidr(" + value.Prefix.String() + ")"
	case apiservercel.Semver:
		return "semver(" + value.Version.String() + ")"
	case apiservercel.Format:
		return "format(" + value.Name + ")"
	case traits.Lister:
		var items []string
		for it := value.Iterator(); it.HasNext() == types.True; {
			items = append(items, show(it.Next()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case traits.Mapper:
		var entries []string
		for it := value.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, show(key)+": "+show(value.Get(key)))
		}
		sort.Strings(entries)
		return "{" + strings.Join(entries, ", ") + "}"
	default:
		return fmt.Sprintf("%T", value)
	}
}
