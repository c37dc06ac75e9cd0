//! CustomResourceDefinitions: schemas and rules made up, most of which can stand, in dry runs.

use serde_json::{Value, json};

use super::custom::definition as define;
use super::{conditions, metadata};
use crate::kind::{Kind, Place};
use crate::shape::{Field, Shape, may, must};

pub(super) fn definition() -> Kind {
    let one = |values: Value| Shape::one(values);
    let version = |name: &'static str, storage: bool| {
        Shape::Object(vec![
            must("name", one(json!([name]))),
            must("served", one(json!([true, true, true, false]))),
            must("storage", one(json!([storage]))),
            must("schema", Shape::Object(vec![must("openAPIV3Schema", root())])),
            may(
                "subresources",
                one(json!([
                    {"status": {}},
                    {"scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.b"}},
                    {"scale": {"specReplicasPath": "spec.a", "statusReplicasPath": ".spec.b", "labelSelectorPath": ".a[0]"}},
                ])),
            ),
            may(
                "additionalPrinterColumns",
                Shape::keyed(
                    json!([{"name": "A"}, {"name": "B"}]),
                    vec![
                        must("type", one(json!(["string", "integer", "date", "text"]))),
                        must("jsonPath", one(json!([".spec.a", ".metadata.name", "{.spec"]))),
                        may("priority", one(json!([1, 0]))),
                        may("format", one(json!(["int32", "odd"]))),
                    ],
                ),
            ),
            may("deprecated", one(json!([true, false]))),
            may("deprecationWarning", one(json!(["do not use it"]))),
        ])
    };
    let spec = Shape::Object(vec![
        must("group", one(json!(["e2e.klient.example"]))),
        must("scope", one(json!(["Namespaced", "Namespaced", "Namespaced", "Namespaced", "Cluster"]))),
        must(
            "names",
            Shape::Object(vec![
                must("plural", one(json!(["gadgets"]))),
                must("kind", one(json!(["Gadget"]))),
                may("singular", one(json!(["gadget", "gizmo", "Gizmo"]))),
                may("listKind", one(json!(["GadgetList", "Gadget"]))),
                may("shortNames", Shape::list(json!(["gd", "gdt", "G"]))),
                may("categories", Shape::list(json!(["all", "odd"]))),
            ]),
        ),
        must(
            "versions",
            Shape::Any(vec![
                Shape::Tuple(vec![version("v1", true)]),
                Shape::Tuple(vec![version("v1", true), version("v2", false)]),
                Shape::Tuple(vec![version("v1beta1", false), version("v1", true)]),
            ]),
        ),
        may(
            "conversion",
            one(json!([
                {"strategy": "None"},
                {"strategy": "Webhook"},
                {"strategy": "Webhook", "webhook": {
                    "conversionReviewVersions": ["v1"],
                    "clientConfig": {"service": {"namespace": "default", "name": "converter"}},
                }},
                {"strategy": "Other"},
            ])),
        ),
    ]);
    Kind {
        kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions",
        place: Place::Cluster { name: "gadgets.e2e.klient.example", other },
        api_versions: &["apiextensions.k8s.io/v1"],
        has_status: true,
        has_scale: false,
        is_builtin: true,
        shape: Shape::Object(vec![may("metadata", metadata(false)), must("spec", spec)]),
        second_shape: None,
        status: Shape::Object(vec![
            may("conditions", conditions()),
            may("storedVersions", one(json!([["v1"], ["v1", "v2"], ["v3"]]))),
        ]),
        defaults: &[],
        dropped: &[],
    }
}

/// Names that make another definition of one that is created: definitions of names that are taken are not looked into.
fn other() -> Value {
    let names =
        json!({"plural": "novelties", "singular": "novelty", "kind": "Novelty", "listKind": "NoveltyList"});
    json!({"metadata": {"name": "novelties.e2e.klient.example"}, "spec": {"names": names}})
}

/// The definition that is written.
pub(super) fn gadget_definition() -> Value {
    let properties = json!({
        "a": {"type": "integer", "default": 1},
        "b": {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
    });
    let versions = json!([{
        "name": "v1",
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": properties}},
        }},
    }]);
    define("gadgets", "Gadget", versions)
}

/// The schema of a version.
fn root() -> Shape {
    Shape::Object(vec![
        must("type", Shape::one(json!(["object"]))),
        must("properties", Shape::Object(vec![may("spec", object(2)), may("status", object(1))])),
        may("description", Shape::one(json!(["words"]))),
        may(
            "x-kubernetes-validations",
            rules(json!([
                {"rule": "self.metadata.name.size() < 10"},
                {"rule": "self.metadata.generateName != 'a'"},
                {"rule": "self.metadata.labels.size() < 10"},
                {"rule": "has(self.spec)"},
                {"rule": "self.kind == 'Gadget' && self.apiVersion != ''"},
            ])),
        ),
        may("x-kubernetes-preserve-unknown-fields", Shape::one(json!([true]))),
    ])
}

/// A schema of any type.
fn schema(depth: usize) -> Shape {
    let mut all = vec![string(), integer(), number(), scalar()];
    if depth > 0 {
        all.extend([object(depth - 1), map(depth - 1), array(depth - 1), map_list()]);
    }
    Shape::Any(all)
}

fn rules(rules: Value) -> Shape {
    Shape::keyed(
        rules,
        vec![
            may("message", Shape::one(json!(["no", "two\nlines", ""]))),
            may("messageExpression", Shape::one(json!(["'it is ' + string(self)", "1", "'so'"]))),
            may("reason", Shape::one(json!(["FieldValueForbidden", "FieldValueDuplicate", "Other"]))),
            may("fieldPath", Shape::one(json!([".a", ".spec.a", ".b.c"]))),
            may("optionalOldSelf", Shape::one(json!([true, false]))),
        ],
    )
}

fn typed(name: &str, mut fields: Vec<Field>) -> Shape {
    fields.push(must("type", Shape::one(json!([name]))));
    fields.push(may("nullable", Shape::one(json!([true]))));
    Shape::Object(fields)
}

fn string() -> Shape {
    typed(
        "string",
        vec![
            may("maxLength", Shape::one(json!([5, 1, 100]))),
            may("minLength", Shape::one(json!([0, 1]))),
            may("pattern", Shape::one(json!(["^a", "[0-9]+$", "(", "a{1,3}"]))),
            may("format", Shape::one(json!(["date", "ipv4", "uuid", "quite-odd", "date-time", "byte"]))),
            may("enum", Shape::one(json!([["a", "b"], ["a"], ["a", "a"], [1]]))),
            may("default", Shape::one(json!(["a", "a", "b", 1]))),
            may(
                "x-kubernetes-validations",
                rules(json!([
                    {"rule": "self.size() < 5"},
                    {"rule": "self.startsWith('a')"},
                    {"rule": "self == oldSelf"},
                    {"rule": "self.matches('^a+$')"},
                    {"rule": "self.size()"},
                    {"rule": "self > 1"},
                    {"rule": "self.split(',').all(part, part.lowerAscii() == part)"},
                    {"rule": "!oldSelf.hasValue() || self == oldSelf.value()"},
                ])),
            ),
        ],
    )
}

fn integer() -> Shape {
    typed(
        "integer",
        vec![
            may("minimum", Shape::one(json!([0, 1, -1]))),
            may("maximum", Shape::one(json!([10, 0]))),
            may("exclusiveMinimum", Shape::one(json!([true, false]))),
            may("multipleOf", Shape::one(json!([2, 0]))),
            may("format", Shape::one(json!(["int32", "int64"]))),
            may("default", Shape::one(json!([1, 2, 20, "x", 1.5]))),
            may(
                "x-kubernetes-validations",
                rules(json!([{"rule": "self > 0"}, {"rule": "self >= oldSelf"}, {"rule": "self.a == 1"}])),
            ),
        ],
    )
}

fn number() -> Shape {
    typed(
        "number",
        vec![
            may("maximum", Shape::one(json!([1.5, 1e3]))),
            may("default", Shape::one(json!([1, 0.5, true]))),
            may("x-kubernetes-validations", rules(json!([{"rule": "self < 1.0"}, {"rule": "self < 1"}]))),
        ],
    )
}

/// Schemas of other scalars, and of anything.
fn scalar() -> Shape {
    Shape::one(json!([
        {"type": "boolean", "default": true},
        {"type": "boolean", "x-kubernetes-validations": [{"rule": "self || !oldSelf"}]},
        {"x-kubernetes-int-or-string": true},
        {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"type": "integer", "x-kubernetes-int-or-string": true},
        {"x-kubernetes-preserve-unknown-fields": true},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true},
        {"type": "object", "x-kubernetes-embedded-resource": true},
        {"description": "no type"},
        {"type": "array", "nullable": true},
        {"$ref": "#/definitions/x"},
        {"type": "string", "uniqueItems": true},
        {"type": "array"},
    ]))
}

fn object(depth: usize) -> Shape {
    let bounded = Shape::one(
        json!([[{"required": ["a"]}, {"required": ["b"]}], [{"properties": {"a": {"minimum": 1}}}], [{"type": "object"}]]),
    );
    typed(
        "object",
        vec![
            must("properties", Shape::Map(&["a", "b", "c"], Box::new(schema(depth)))),
            may("required", Shape::one(json!([["a"], ["a", "b"], ["z"], ["a", "a"]]))),
            may("default", Shape::one(json!([{}, {}, {"a": 1}, {"z": 1}]))),
            may("anyOf", bounded),
            may("x-kubernetes-map-type", Shape::one(json!(["atomic", "granular", "odd"]))),
            may("x-kubernetes-preserve-unknown-fields", Shape::one(json!([true, true, false]))),
            may(
                "x-kubernetes-validations",
                rules(json!([
                    {"rule": "has(self.a)"},
                    {"rule": "!has(self.a) || has(self.b)"},
                    {"rule": "self.a == oldSelf.a"},
                    {"rule": "self == oldSelf"},
                    {"rule": "self.z == 1"},
                ])),
            ),
        ],
    )
}

fn map(depth: usize) -> Shape {
    typed(
        "object",
        vec![
            must("additionalProperties", Shape::Any(vec![schema(depth), Shape::one(json!([true, false]))])),
            may("maxProperties", Shape::one(json!([3, 0]))),
            may("default", Shape::one(json!([{}, {"k": "v"}, {"k": 1}]))),
            may(
                "x-kubernetes-validations",
                rules(json!([
                    {"rule": "self.all(key, key.size() < 5)"},
                    {"rule": "self.size() < 3"},
                    {"rule": "self.all(key, self.all(other, key == other))"},
                    {"rule": "'k' in self"},
                ])),
            ),
        ],
    )
}

fn array(depth: usize) -> Shape {
    typed(
        "array",
        vec![
            must("items", schema(depth)),
            may("maxItems", Shape::one(json!([3, 10]))),
            may("minItems", Shape::one(json!([0, 1]))),
            may("default", Shape::one(json!([[], ["a"], [1]]))),
            may("x-kubernetes-list-type", Shape::one(json!(["set", "atomic", "map", "odd"]))),
            may(
                "x-kubernetes-validations",
                rules(json!([
                    {"rule": "self.size() < 3"},
                    {"rule": "self.all(one, self.exists_one(other, one == other))"},
                    {"rule": "self == oldSelf"},
                    {"rule": "self.isSorted()"},
                ])),
            ),
        ],
    )
}

/// Lists that are maps.
fn map_list() -> Shape {
    let key = Shape::one(json!([
        {"type": "string"},
        {"type": "string", "maxLength": 5},
        {"type": "string", "default": "a"},
        {"type": "object"},
    ]));
    let items = vec![
        must("properties", Shape::Object(vec![must("name", key), may("value", integer())])),
        must("required", Shape::one(json!([["name"], ["name"], ["value"]]))),
        may(
            "x-kubernetes-validations",
            rules(json!([{"rule": "self.name == oldSelf.name"}, {"rule": "self.name.size() > 0"}])),
        ),
    ];
    typed(
        "array",
        vec![
            must("x-kubernetes-list-type", Shape::one(json!(["map"]))),
            must(
                "x-kubernetes-list-map-keys",
                Shape::one(json!([["name"], ["name"], ["name", "value"], []])),
            ),
            must("items", typed("object", items)),
            may("maxItems", Shape::one(json!([3, 10]))),
            may(
                "x-kubernetes-validations",
                rules(
                    json!([{"rule": "self.all(one, one.name != '')"}, {"rule": "self.exists(one, one.value > 1)"}]),
                ),
            ),
        ],
    )
}
