//! Definitions as users write them, and the errors of kube-apiserver for invalid ones.

use klient_apimachinery::Time;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Map};
use klient_cel::Effort;
use klient_schema::apiextensions_v1::CUSTOM_RESOURCE_DEFINITION;
use serde_json::{Value, json};

use super::definition::{Definition, default, establish, prepare, validate, validate_name, validate_update};
use super::scale::Scale;

/// A definition before validation, changed by a JSON merge patch.
#[track_caller]
fn definition(patch: Value) -> Map {
    let mut object = json!({
        "metadata": {"name": "gadgets.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "kind": "Gadget"},
            "versions": [version("v1", true)],
        },
    });
    merge(&mut object, patch);
    let mut object =
        values::decode(object.as_object().unwrap().clone(), &CUSTOM_RESOURCE_DEFINITION).unwrap().object;
    prepare(&mut object, None);
    default(&mut object);
    object
}

fn version(name: &str, storage: bool) -> Value {
    let spec = json!({"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "minimum": 1}}});
    json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {
        "type": "object", "properties": {"spec": spec},
    }}})
}

fn merge(object: &mut Value, patch: Value) {
    match (object, patch) {
        (Value::Object(object), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    object.remove(&name);
                } else {
                    merge(object.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (object, patch) => *object = patch,
    }
}

fn said(errors: Vec<FieldError>) -> Vec<String> {
    errors.iter().map(FieldError::to_string).collect()
}

#[track_caller]
fn check(patch: Value, errors: &[&str]) {
    let shown = patch.to_string();
    assert_eq!(said(validate(&definition(patch))), errors, "{shown}");
}

/// Checks a definition of one version, changed by a patch.
#[track_caller]
fn check_version(patch: Value, errors: &[&str]) {
    let mut version = version("v1", true);
    merge(&mut version, patch);
    check(json!({"spec": {"versions": [version]}}), errors);
}

/// Checks a definition of one version whose schema has this field; § in errors is the field's path.
#[track_caller]
fn check_field(field: Value, errors: &[&str]) {
    let errors: Vec<String> = errors
        .iter()
        .map(|error| error.replace('§', "spec.validation.openAPIV3Schema.properties[f]"))
        .collect();
    let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
    check_version(json!({"schema": {"openAPIV3Schema": {"properties": {"f": field}}}}), &errors);
}

const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

#[test]
fn what_is_left_open_is_set() {
    let object = definition(json!({"spec": {"conversion": null}}));
    assert_eq!(
        object["spec"]["names"],
        json!({"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"})
    );
    assert_eq!(object["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(object["status"]["storedVersions"], json!(["v1"]));
    let service = json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"service": {"name": "a", "namespace": "b"}}}});
    let object = definition(json!({"spec": {"conversion": service}}));
    assert_eq!(object["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["port"], json!(443));
    assert_eq!(validate(&object), []);
}

#[test]
fn names_are_checked() {
    check(json!({}), &[]);
    let misnamed = validate_name(&definition(json!({"metadata": {"name": "gadgets"}})));
    assert_eq!(
        misnamed.map(|error| error.to_string()).as_deref(),
        Some(r#"metadata.name: Invalid value: "gadgets": must be spec.names.plural+"."+spec.group"#)
    );
    assert_eq!(validate_name(&definition(json!({}))), None);
    check(
        json!({"metadata": {"name": "gadgets.shop"}, "spec": {"group": "shop", "scope": "World"}}),
        &[
            r#"spec.group: Invalid value: "shop": should be a domain with at least one dot"#,
            r#"spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced""#,
        ],
    );
    let names = json!({"kind": "Gad_get", "listKind": "Gad_get", "shortNames": ["G"], "categories": ["all"]});
    check(
        json!({"spec": {"names": names, "scope": null}}),
        &[
            "spec.scope: Required value",
            &format!(r#"spec.names.singular: Invalid value: "gad_get": {DNS_1035}"#),
            &format!(
                r#"spec.names.kind: Invalid value: "Gad_get": may have mixed case, but should otherwise match: {DNS_1035}"#
            ),
            &format!(
                r#"spec.names.listKind: Invalid value: "Gad_get": may have mixed case, but should otherwise match: {DNS_1035}"#
            ),
            &format!(r#"spec.names.shortNames[0]: Invalid value: "G": {DNS_1035}"#),
            r#"spec.names.listKind: Invalid value: "Gad_get": kind and listKind may not be the same"#,
        ],
    );
    check(
        json!({"metadata": {"name": "gadgets.a.k8s.io"}, "spec": {"group": "a.k8s.io"}}),
        &[
            r#"metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111"#,
        ],
    );
    let approved = |text: &str| json!({"metadata": {"name": "gadgets.k8s.io", "annotations": {"api-approved.kubernetes.io": text}}, "spec": {"group": "k8s.io"}});
    check(approved("https://github.com/a/b/pull/1"), &[]);
    check(approved("unapproved, for a test"), &[]);
    check(
        approved("yes"),
        &[
            r#"metadata.annotations[api-approved.kubernetes.io]: Invalid value: "yes": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111"#,
        ],
    );
}

#[test]
fn one_version_is_stored() {
    check(
        json!({"spec": {"versions": []}}),
        &[
            "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ],
    );
    let shown = r#"[{"Name":"v1","Served":true,"Storage":true,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null},{"Name":"v1","Served":true,"Storage":true,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]"#;
    check(
        json!({"spec": {"versions": [version("v1", true), version("v1", true)]}}),
        &[
            &format!("spec.versions: Invalid value: {shown}: must contain unique version names"),
            &format!(
                "spec.versions: Invalid value: {shown}: must have exactly one version marked as storage version"
            ),
            r#"status.storedVersions: Invalid value: ["v1"]: must have the storage version v1"#,
        ],
    );
    check(
        json!({"spec": {"versions": [version("1", true)]}}),
        &[
            &format!(r#"spec.versions[0].name: Invalid value: "1": {DNS_1035}"#),
            &format!(r#"spec.version: Invalid value: "1": {DNS_1035}"#),
        ],
    );
    check_version(json!({"schema": null}), &["spec.versions[0].schema.openAPIV3Schema: Required value"]);
    check_version(
        json!({"deprecationWarning": "old"}),
        &[
            r#"spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions"#,
        ],
    );
    check_version(
        json!({"deprecated": true, "deprecationWarning": "a\tb"}),
        &[
            r#"spec.versions[0].deprecationWarning: Invalid value: "a\tb": must only contain printable UTF-8 characters; non-printable character found at index 1"#,
        ],
    );
}

#[test]
fn schemas_stand_where_versions_share_them() {
    let untyped = json!({"schema": {"openAPIV3Schema": {"properties": {"spec": {"type": null}}}}});
    check_version(
        untyped.clone(),
        &[
            "spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields",
        ],
    );
    let mut second = version("v2", false);
    merge(&mut second, untyped);
    check(
        json!({"spec": {"versions": [version("v1", true), second]}}),
        &[
            "spec.versions[1].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields",
        ],
    );
}

#[test]
fn schemas_say_nothing_that_is_not_supported() {
    check_field(
        json!({"type": "text"}),
        &[
            r#"§.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string""#,
        ],
    );
    check_field(
        json!({"type": "object", "$ref": "#/a", "additionalProperties": {"type": "string"}, "properties": {"a": {"type": "string"}}, "uniqueItems": true}),
        &[
            "§.$ref: Forbidden: $ref is not supported",
            "§.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            "§.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ],
    );
    check_field(
        json!({"type": "string", "$schema": "x"}),
        &["spec.validation.openAPIV3Schema: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"],
    );
    check_field(
        json!({"type": "integer", "default": "one"}),
        &["§.default: Invalid value: \"string\":  in body must be of type integer: \"string\""],
    );
    check_version(
        json!({"schema": {"openAPIV3Schema": {"properties": {"metadata": {"type": "object", "default": {}}}}}}),
        &[
            "spec.validation.openAPIV3Schema.properties[metadata].default: Forbidden: must not be set in top-level metadata",
        ],
    );
    check_version(
        json!({"schema": {"openAPIV3Schema": {"nullable": true}}}),
        &["spec.validation.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root"],
    );
    check_version(
        json!({"subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"x-kubernetes-map-type": "atomic", "properties": null}}}),
        &[
            r#"spec.validation.openAPIV3Schema: Invalid value: {"type":"object","x-kubernetes-map-type":"atomic"}: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled"#,
        ],
    );
    check(
        json!({"spec": {"preserveUnknownFields": true}}),
        &[
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ],
    );
}

#[test]
fn lists_and_maps_say_how_they_are_merged() {
    let list = |rest: Value| {
        let mut list = json!({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}, "o": {"type": "object"}}}});
        merge(&mut list, rest);
        list
    };
    check_field(
        list(
            json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": {"required": ["a"]}}),
        ),
        &[],
    );
    check_field(
        list(
            json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "a", "b", "o"], "items": {"nullable": true, "properties": {"a": {"nullable": true}}}}),
        ),
        &[
            "§.x-kubernetes-list-map-keys: Invalid value: [\"a\",\"a\",\"b\",\"o\"]: must not contain duplicate entries",
            "§.x-kubernetes-list-map-keys: Invalid value: [\"a\",\"a\",\"b\",\"o\"]: entries must all be names of item properties",
            "§.items.properties[o].type: Invalid value: \"object\": must be a scalar type if parent array's x-kubernetes-list-type is map",
            "§.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map",
            "§.items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            "§.items.properties[a].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
            "§.items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            "§.items.properties[a].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
            "§.items.properties[o].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ],
    );
    check_field(
        list(json!({"x-kubernetes-list-type": "set"})),
        &[
            "§.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
        ],
    );
    check_field(
        json!({"type": "string", "x-kubernetes-list-type": "bag", "x-kubernetes-map-type": "loose", "x-kubernetes-list-map-keys": ["a"]}),
        &[
            "§.type: Invalid value: \"string\": must be object if x-kubernetes-map-type is specified",
            "§.x-kubernetes-map-type: Unsupported value: \"loose\": supported values: \"atomic\", \"granular\"",
            "§.type: Invalid value: \"string\": must be array if x-kubernetes-list-type is specified",
            "§.x-kubernetes-list-type: Unsupported value: \"bag\": supported values: \"atomic\", \"set\", \"map\"",
            "§.x-kubernetes-list-type: Invalid value: \"bag\": must be map if x-kubernetes-list-map-keys is non-empty",
        ],
    );
}

#[test]
fn validation_rules_have_their_fields_checked() {
    check_field(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": [
            {"rule": " "}, {"rule": "a", "message": "a\nb"}, {"rule": "a\n&& b"}, {"rule": "a", "reason": "Odd", "fieldPath": ".b"},
            {"rule": "a", "fieldPath": ".a", "reason": "FieldValueInvalid"},
        ]}),
        &[
            "§.x-kubernetes-validations[0].rule: Required value: rule is not specified",
            "§.x-kubernetes-validations[1].message: Invalid value: \"a\\nb\": must not contain line breaks",
            "§.x-kubernetes-validations[2].message: Required value: message must be specified if rule contains line breaks",
            "§.x-kubernetes-validations[3].reason: Unsupported value: \"Odd\": supported values: \"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\"",
            "§.x-kubernetes-validations[3].fieldPath: Invalid value: \".b\": must be a valid path",
        ],
    );
}

#[test]
fn what_is_served_besides_objects_is_checked() {
    check_version(
        json!({"subresources": {"scale": {"specReplicasPath": "spec.n", "statusReplicasPath": ".spec.n", "labelSelectorPath": ".x"}}}),
        &[
            r#"spec.subresources.scale.specReplicasPath: Invalid value: "spec.n": must be a simple json path starting with ."#,
            r#"spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.n": should be a json path under .status"#,
            r#"spec.subresources.scale.labelSelectorPath: Invalid value: ".x": should be a json path under either .spec or .status"#,
        ],
    );
    check_version(
        json!({"additionalPrinterColumns": [{"name": "", "type": "text", "format": "odd", "jsonPath": ""}]}),
        &[
            "spec.additionalPrinterColumns[0].name: Required value",
            r#"spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string"#,
            r#"spec.additionalPrinterColumns[0].format: Invalid value: "odd": must be one of byte,date,date-time,double,float,int32,int64,password"#,
            "spec.additionalPrinterColumns[0].JSONPath: Required value",
        ],
    );
    check_version(
        json!({"selectableFields": [{"jsonPath": ".spec.size"}, {"jsonPath": ".spec.size"}, {"jsonPath": ".spec"}, {"jsonPath": ".x"}]}),
        &[
            r#"spec.selectableFields[1].jsonPath: Duplicate value: ".spec.size""#,
            r#"spec.selectableFields[2].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."#,
            r#"spec.selectableFields[3].jsonPath: Invalid value: ".x": is an invalid path: does not refer to a valid field"#,
        ],
    );
    let fields: Map = (0..9).map(|index| (format!("f{index}"), json!({"type": "string"}))).collect();
    let paths: Vec<Value> = fields.keys().map(|name| json!({"jsonPath": format!(".{name}")})).collect();
    check_version(
        json!({"schema": {"openAPIV3Schema": {"properties": fields}}, "selectableFields": paths}),
        &["spec.selectableFields: Too many: 9: must have at most 8 items"],
    );
}

#[test]
fn webhooks_are_reachable() {
    let webhook = |client: Value| json!({"spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}}}});
    check(webhook(json!({"url": "https://a.example/convert"})), &[]);
    check(
        webhook(json!({"url": "http://u@a.example/convert?a=b#c"})),
        &[
            r#"spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]"#,
            r#"spec.conversion.webhookClientConfig.url: Invalid value: "u": user information is not permitted in the URL"#,
            r#"spec.conversion.webhookClientConfig.url: Invalid value: "c": fragments are not permitted in the URL"#,
            r#"spec.conversion.webhookClientConfig.url: Invalid value: "a=b": query parameters are not permitted in the URL"#,
        ],
    );
    check(
        webhook(json!({})),
        &["spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required"],
    );
    check(
        webhook(json!({"service": {"name": "", "namespace": "n", "port": 0, "path": "a//"}})),
        &[
            "spec.conversion.webhookClientConfig.service.namespace: Required value",
            "spec.conversion.webhookClientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
            r#"spec.conversion.webhookClientConfig.service.path: Invalid value: "a//": must start with a '/'"#,
            r#"spec.conversion.webhookClientConfig.service.path: Invalid value: "a//": segment[0] may not be empty"#,
            r#"spec.conversion.webhookClientConfig.service.path: Invalid value: "a//": segment[1] may not be empty"#,
        ],
    );
    check(
        json!({"spec": {"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v2", "v2"]}}}}),
        &[
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
            r#"spec.conversion.conversionReviewVersions[1]: Invalid value: "v2": duplicate version"#,
            r#"spec.conversion.conversionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1"#,
        ],
    );
    check(
        json!({"spec": {"conversion": {"strategy": "Magic", "webhook": {"conversionReviewVersions": ["v1"]}}}}),
        &[
            r#"spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook""#,
            "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
        ],
    );
}

#[test]
fn what_objects_are_stored_under_stays() {
    let mut old = definition(json!({}));
    let new = |patch: Value, old: &Map| {
        let mut object = definition(patch);
        prepare(&mut object, Some(old));
        object
    };
    let moved = json!({"spec": {"scope": "Cluster", "group": "other.example", "names": {"plural": "others", "kind": "Other"}}});
    let fixed = [
        r#"spec.group: Invalid value: "other.example": field is immutable"#,
        r#"spec.names.plural: Invalid value: "others": field is immutable"#,
    ];
    assert_eq!(said(validate_update(&new(moved.clone(), &old), &old)), fixed);
    establish(&mut old, &mut [].into_iter(), false, Time::from_unix(0));
    let stored = [
        r#"spec.scope: Invalid value: "Cluster": field is immutable"#,
        r#"spec.names.kind: Invalid value: "Other": field is immutable"#,
    ];
    assert_eq!(said(validate_update(&new(moved, &old), &old)), [&stored[..], &fixed].concat());
    let next = new(json!({"spec": {"versions": [version("v2", true)]}}), &old);
    assert_eq!(next["status"]["storedVersions"], json!(["v1", "v2"]));
    assert_eq!(
        said(validate_update(&next, &old)),
        [
            r#"status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions"#,
        ]
    );
    let both = new(json!({"spec": {"versions": [version("v1", false), version("v2", true)]}}), &old);
    assert_eq!(validate_update(&both, &old), []);
}

#[test]
fn an_accepted_definition_is_read() {
    let mut first = version("v1beta1", false);
    merge(
        &mut first,
        json!({"deprecated": true, "schema": {"openAPIV3Schema": {"description": "A gadget."}}}),
    );
    let mut second = version("v1", true);
    merge(
        &mut second,
        json!({
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}},
            "additionalPrinterColumns": [{"name": "Size", "type": "integer", "priority": 1, "jsonPath": ".spec.size"}],
            "selectableFields": [{"jsonPath": ".spec.size"}],
        }),
    );
    let mut object = definition(
        json!({"spec": {"versions": [first, second], "names": {"shortNames": ["gd"], "categories": ["all"]}}}),
    );
    assert_eq!(validate(&object), []);
    establish(&mut object, &mut [].into_iter(), false, Time::from_unix(0));
    let read = Definition::parse(&object).unwrap();
    assert_eq!(
        [read.group, read.plural, read.singular, read.kind, read.list_kind],
        ["shop.example", "gadgets", "gadget", "Gadget", "GadgetList"],
    );
    assert_eq!(
        (read.short_names, read.categories, read.namespaced),
        (vec!["gd".to_owned()], vec!["all".to_owned()], true)
    );
    let [old, new] = &read.versions[..] else { panic!("two versions") };
    assert_eq!(
        old.warning.as_deref(),
        Some("shop.example/v1beta1 Gadget is deprecated; use shop.example/v1 Gadget")
    );
    assert_eq!((old.columns[0].name.as_str(), old.has_status, &old.scale), ("Age", false, &None));
    assert_eq!((new.name.as_str(), new.served, new.storage, &new.warning), ("v1", true, true, &None));
    let scale = Scale {
        spec_replicas: ".spec.size".to_owned(),
        status_replicas: ".status.size".to_owned(),
        label_selector: None,
    };
    assert_eq!((new.has_status, &new.scale), (true, &Some(scale)));
    assert_eq!(new.selectable, ["spec.size"]);
    let column = &new.columns[0];
    assert_eq!((column.name.as_str(), column.ty.as_str(), column.priority), ("Size", "integer", 1));
    assert_eq!(column.description, "Custom resource definition column (in JSONPath format): .spec.size");
    let object = json!({"spec": {"size": 3}});
    assert_eq!(column.value(object.as_object().unwrap()), Some(json!(3)));
    assert!(Definition::parse(&Map::new()).is_none());
}

/// Validates an update with little effort, and returns whether that sufficed.
fn is_little(new: &Map, old: &Map) -> bool {
    let validated = Effort::LITTLE.spend(|| validate_update(new, old));
    assert_eq!(validated.as_deref().unwrap_or_default(), []);
    validated.is_ok()
}

#[test]
fn only_a_changed_spec_is_validated_again() {
    let version = |index: u32| {
        let fields =
            (0..150).map(|field| (format!("f{field}"), json!({"type": "string", "maxLength": index})));
        let fields: Value = fields.collect();
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": fields}});
        json!({"name": format!("v{index}"), "served": true, "storage": index == 1, "schema": schema})
    };
    let versions: Vec<Value> = (1..=30).map(version).collect();
    let old = definition(json!({"spec": {"versions": versions}}));
    assert!(Effort::LITTLE.spend(|| validate(&old)).is_err());
    let mut labelled = old.clone();
    values::map_at(&mut labelled, "metadata").insert("labels".to_owned(), json!({"a": "b"}));
    assert!(is_little(&labelled, &old));
    let mut named = old.clone();
    values::map_at(values::map_at(&mut named, "spec"), "names").insert("shortNames".to_owned(), json!(["g"]));
    assert!(!is_little(&named, &old));
    // What is wrong with the status is told though the spec is the same.
    let mut stored = old.clone();
    values::map_at(&mut stored, "status").insert("storedVersions".to_owned(), json!([]));
    assert_eq!(
        said(validate_update(&stored, &old)),
        ["status.storedVersions: Invalid value: null: must have at least one stored version"]
    );
}

#[test]
fn formats_that_are_unknown_stand_for_types_in_the_errors_of_defaults() {
    check_field(
        json!({"type": "string", "format": "quite-odd", "default": 1}),
        &[r#"§.default: Invalid value: "int64":  in body must be of type quite-odd: "int64""#],
    );
    check_field(json!({"type": "string", "format": "quite-odd", "default": ["a"]}), &[]);
    check_field(
        json!({"type": "string", "format": "quite-odd", "default": {"a": 1}}),
        &[
            r#"§.default: Invalid value: {"a":1}: must not have unknown fields"#,
            r#"§.default: Invalid value: "":  in body must be of type quite-odd: """#,
        ],
    );
    check_field(
        json!({"type": "string", "format": "quite-odd", "default": true}),
        &[r#"§.default: Invalid value: "":  in body must be of type quite-odd: """#],
    );
    check_field(
        json!({"type": "string", "format": "int64", "default": 1}),
        &[r#"§.default: Invalid value: "integer":  in body must be of type string: "integer""#],
    );
    check_field(
        json!({"type": "string", "format": "int32", "default": 1}),
        &[r#"§.default: Invalid value: "int64":  in body must be of type int32: "int64""#],
    );
    check_field(
        json!({"type": "string", "format": "double", "default": 1.5}),
        &[r#"§.default: Invalid value: "float64":  in body must be of type double: "float64""#],
    );
    check_field(
        json!({"type": "integer", "format": "quite-odd", "default": "a"}),
        &[r#"§.default: Invalid value: "string":  in body must be of type integer: "string""#],
    );
    check_field(
        json!({"type": "integer", "format": "date", "default": "a"}),
        &[
            r#"§.default: Invalid value: "string":  in body must be of type integer: "string""#,
            r#"§.default: Invalid value: "a":  in body must be of type date: "a""#,
        ],
    );
    check_field(
        json!({"type": "integer", "format": "quite-odd", "default": 1.5}),
        &[
            r#"§.default: Invalid value: "float64":  in body must be of type quite-odd: "float64""#,
            r#"§.default: Invalid value: "": Checked value must be of type integer (default format) in "#,
        ],
    );
    check_field(
        json!({"type": "integer", "format": "int32", "default": 3_000_000_000_i64}),
        &[r#"§.default: Invalid value: "": Checked value must be of type integer with format int32 in "#],
    );
    check_field(json!({"type": "object", "format": "quite-odd", "default": "a"}), &[]);
    check_field(
        json!({"type": "object", "format": "quite-odd", "default": 5}),
        &[r#"§.default: Invalid value: "int64":  in body must be of type quite-odd: "int64""#],
    );
    check_field(
        json!({"type": "object", "format": "date", "default": "a"}),
        &[r#"§.default: Invalid value: "a":  in body must be of type date: "a""#],
    );
    check_field(json!({"type": "boolean", "format": "quite-odd", "default": "a"}), &[]);
    check_field(
        json!({"type": "boolean", "format": "quite-odd", "default": 1}),
        &[r#"§.default: Invalid value: "int64":  in body must be of type quite-odd: "int64""#],
    );
    check_field(
        json!({"type": "array", "items": {"type": "string"}, "format": "quite-odd", "default": "a"}),
        &[],
    );
    check_field(
        json!({"type": "string", "format": "date", "default": "a"}),
        &[r#"§.default: Invalid value: "a":  in body must be of type date: "a""#],
    );
    check_field(
        json!({"type": "string", "format": "date", "default": 1}),
        &[r#"§.default: Invalid value: "int64":  in body must be of type date: "int64""#],
    );
    check_field(
        json!({"x-kubernetes-int-or-string": true, "format": "quite-odd", "default": true}),
        &[r#"§.default: Invalid value: "":  in body must be of type quite-odd: """#],
    );
    check_field(
        json!({"type": "object", "properties": {"a": {"type": "string", "format": "quite-odd"}}, "default": {"a": 1}}),
        &[r#"§.default.a: Invalid value: "int64": a in body must be of type quite-odd: "int64""#],
    );
    check_field(
        json!({"type": "object", "additionalProperties": {"type": "string", "format": "quite-odd"}, "default": {"a": 1}}),
        &[r#"§.default.a: Invalid value: "int64": .a in body must be of type quite-odd: "int64""#],
    );
    check_field(
        json!({"type": "string", "format": "quite-odd", "anyOf": [{"format": "other"}], "default": 1}),
        &[
            r#"§.default: Invalid value: "int64":  in body must be of type quite-odd: "int64""#,
            r#"§.default: Invalid value: "": "" must validate at least one schema (anyOf)"#,
            r#"§.default: Invalid value: "int64":  in body must be of type other: "int64""#,
        ],
    );
    check_field(
        json!({"type": "array", "items": {}, "default": [1]}),
        &["§.items.type: Required value: must not be empty for specified array items"],
    );
}

#[test]
fn items_that_are_no_schema_are_missing() {
    check_field(
        json!({"type": "array", "items": "wrong", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}),
        &[
            "§.items: Required value: must be specified",
            r#"§.items: Invalid value: {"Schema":null,"JSONSchemas":null}: must only have a single schema if x-kubernetes-list-type is map"#,
        ],
    );
    check_field(json!({"type": "array", "items": 5}), &["§.items: Required value: must be specified"]);
    check_field(json!({"type": "array", "items": []}), &["§.items: Required value: must be specified"]);
    check_field(
        json!({"type": "array", "items": [], "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}),
        &[
            "§.items: Required value: must be specified",
            r#"§.items: Invalid value: {"Schema":null,"JSONSchemas":[]}: must only have a single schema if x-kubernetes-list-type is map"#,
        ],
    );
    check_field(
        json!({"type": "array", "items": [], "x-kubernetes-list-type": "set"}),
        &["§.items: Required value: must be specified"],
    );
    check_field(
        json!({"type": "array", "items": [], "x-kubernetes-validations": [{"rule": "self.size() < 3"}]}),
        &["§.items: Required value: must be specified"],
    );
    check_field(
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"b": {"items": []}}}),
        &["§.properties[b].type: Required value: must not be empty for specified object fields"],
    );
    check_field(
        json!({"type": "array", "items": [], "default": [1]}),
        &["§.items: Required value: must be specified"],
    );
    check_field(
        json!({"type": "object", "properties": {"a": {"type": "array", "items": []}}, "oneOf": [{"properties": {"a": {"items": []}}}]}),
        &["§.properties[a].items: Required value: must be specified"],
    );
    check_field(
        json!({"type": "array", "items": [], "x-kubernetes-validations": [{"rule": "self.size() < 3", "fieldPath": ".b"}]}),
        &[
            "§.items: Required value: must be specified",
            r#"§.x-kubernetes-validations[0].fieldPath: Invalid value: ".b": must be a valid path"#,
        ],
    );
}

#[test]
fn no_default_has_an_unknown_type() {
    let types = r#"Unsupported value: "wrong": supported values: "array", "boolean", "integer", "number", "object", "string""#;
    let unknown = format!("§.type: {types}");
    check_field(
        json!({"type": "wrong", "default": {"a": 1}}),
        &[
            r#"§.default: Invalid value: {"a":1}: must not have unknown fields"#,
            r#"§.default: Invalid value: "object":  in body must be of type wrong: "object""#,
            &unknown,
        ],
    );
    check_field(
        json!({"type": "wrong", "default": 1}),
        &[r#"§.default: Invalid value: "integer":  in body must be of type wrong: "integer""#, &unknown],
    );
    check_field(
        json!({"type": "wrong", "format": "odd", "default": 1}),
        &[r#"§.default: Invalid value: "int64":  in body must be of type odd: "int64""#, &unknown],
    );
    check_field(json!({"type": "wrong", "format": "odd", "default": "a"}), &[&unknown]);
    check_field(
        json!({"type": "object", "properties": {"a": {"type": "wrong"}}, "default": {"a": null}}),
        &[
            r#"§.default.a: Invalid value: "null": a in body must be of type wrong: "null""#,
            &format!("§.properties[a].type: {types}"),
        ],
    );
}
