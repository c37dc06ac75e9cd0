package main

import (
	"context"
	"encoding/json"
	"sort"

	internal "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	kjson "sigs.k8s.io/json"
)

func init() {
	answers["definition"] = answerDefinition
	answers["object"] = answerObject
}

// answerDefinition answers with the errors of a definition with a schema.
func answerDefinition(question []byte) (any, error) {
	var asked struct{ Schema *v1.JSONSchemaProps }
	if err := json.Unmarshal(question, &asked); err != nil {
		return nil, err
	}
	external := &v1.CustomResourceDefinition{}
	external.Name = "rules.klient.test"
	external.Spec.Group = "klient.test"
	external.Spec.Scope = v1.NamespaceScoped
	external.Spec.Names = v1.CustomResourceDefinitionNames{Plural: "rules", Kind: "Rule"}
	external.Spec.Versions = []v1.CustomResourceDefinitionVersion{{
		Name: "v1", Served: true, Storage: true,
		Schema: &v1.CustomResourceValidation{OpenAPIV3Schema: asked.Schema},
	}}
	v1.SetDefaults_CustomResourceDefinition(external)
	v1.SetDefaults_CustomResourceDefinitionSpec(&external.Spec)
	external.Status.StoredVersions = []string{"v1"}
	definition := &internal.CustomResourceDefinition{}
	if err := v1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(external, definition, nil); err != nil {
		return nil, err
	}
	return list(validation.ValidateCustomResourceDefinition(context.Background(), definition)), nil
}

// answerObject answers with the errors of an object, of a schema with rules.
func answerObject(question []byte) (any, error) {
	var asked struct {
		Schema json.RawMessage
		Self   json.RawMessage
		Old    json.RawMessage
		Budget int64
	}
	if err := json.Unmarshal(question, &asked); err != nil {
		return nil, err
	}
	structural, err := structural(asked.Schema)
	if err != nil {
		return nil, err
	}
	var self, old any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(asked.Self, &self); err != nil {
		return nil, err
	}
	if asked.Old != nil {
		if err := kjson.UnmarshalCaseSensitivePreserveInts(asked.Old, &old); err != nil {
			return nil, err
		}
	}
	budget := int64(celconfig.RuntimeCELCostBudget)
	if asked.Budget != 0 {
		budget = asked.Budget
	}
	validator := schemacel.NewValidator(structural, true, celconfig.PerCallLimit)
	var options []schemacel.Option
	if old != nil {
		options = append(options, schemacel.WithRatcheting(common.NewCorrelatedObject(self, old, &model.Structural{Structural: structural})))
	}
	problems, rest := validator.Validate(context.Background(), nil, structural, self, old, budget, options...)
	return map[string]any{"errors": list(problems), "rest": rest}, nil
}

func list(problems field.ErrorList) []string {
	texts := []string{}
	for _, problem := range problems {
		texts = append(texts, problem.Error())
	}
	sort.Strings(texts)
	return texts
}
