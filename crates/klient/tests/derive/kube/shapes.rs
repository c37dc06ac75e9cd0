//! Shapes of structs, with the attributes of kube-derive and of klient's derive: the test `kube` compares the definitions.
//!
//! The file is part of two programs: of this test, and of `e2e/definitions`, which has the feature `kube`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::*;

/// Scalars.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Scalar", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct ScalarSpec {
    yes: bool,
    text: String,
    small: i32,
    large: i64,
    real: f64,
}

/// Integers of other sizes.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Integer", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct IntegerSpec {
    tiny: i8,
    byte: u8,
    short: i16,
    port: u16,
    word: u32,
    long: u64,
    size: usize,
}

/// Floating-point numbers.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Float", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct FloatSpec {
    single: f32,
    double: f64,
}

/// A character.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Letter", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct LetterSpec {
    letter: char,
}

/// Options.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Maybe", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct MaybeSpec {
    text: Option<String>,
    number: Option<i32>,
    point: Option<Point>,
    list: Option<Vec<String>>,
}

/// A point.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Schema, Deserialize, Serialize)]
pub(crate) struct Point {
    /// To the right.
    x: i32,
    y: i32,
}

/// Lists.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Series", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct SeriesSpec {
    texts: Vec<String>,
    points: Vec<Point>,
    grid: Vec<Vec<i32>>,
}

/// Sets.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Unique", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct UniqueSpec {
    texts: BTreeSet<String>,
    points: BTreeSet<Point>,
}

/// An array.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Fixed", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct FixedSpec {
    three: [i32; 3],
}

/// Maps.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Table", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct TableSpec {
    texts: BTreeMap<String, String>,
    points: BTreeMap<String, Point>,
    lists: HashMap<String, Vec<i32>>,
}

/// Structs within a struct.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Nest", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct NestSpec {
    /// The place.
    point: Point,
    boxed: Box<Point>,
}

/// Values without a schema.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Anything", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct AnythingSpec {
    any: Value,
    maybe: Option<Value>,
    fields: serde_json::Map<String, Value>,
    values: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Default, JsonSchema, Deserialize, Serialize)]
pub(crate) enum Plain {
    #[default]
    One,
    Two,
}

/// The loudness.
#[derive(Clone, Debug, Default, JsonSchema, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Documented {
    /// As a whisper.
    #[default]
    VeryQuiet,
    /// As a drum.
    Loud,
}

/// Enums of names.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Choice", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct ChoiceSpec {
    plain: Plain,
    documented: Documented,
    list: Vec<Plain>,
}

/// Options of enums of names.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "MaybeChoice", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct MaybeChoiceSpec {
    plain: Option<Plain>,
    documented: Option<Documented>,
}

#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Source {
    /// A repository.
    Git {
        url: String,
    },
    Point(Point),
}

/// An enum whose variants have fields.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Variant", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct VariantSpec {
    sources: Vec<Source>,
}

/// An option of such an enum.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "MaybeVariant", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct MaybeVariantSpec {
    source: Option<Source>,
}

#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(tag = "type")]
pub(crate) enum Tagged {
    Git { url: String },
    Nothing {},
}

#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(tag = "type", content = "value")]
pub(crate) enum Adjacent {
    Git { url: String },
    Hg { url: String },
}

#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Port {
    Number(i32),
    Name(String),
}

/// Enums that are tagged by a field.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Tag", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct TagSpec {
    tagged: Vec<Tagged>,
    adjacent: Vec<Adjacent>,
}

/// An integer or a string.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Untagged", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct UntaggedSpec {
    port: Vec<Port>,
    maybe: Option<Port>,
}

/// A struct that is flattened.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Flat", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct FlatSpec {
    name: String,
    #[serde(flatten)]
    point: Point,
}

/// An enum that is flattened.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "FlatVariant", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct FlatVariantSpec {
    name: String,
    #[serde(flatten)]
    source: Option<Source>,
}

/// A map that is flattened.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Open", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct OpenSpec {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Names of JSON.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Renamed", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct RenamedSpec {
    two_words: String,
    #[serde(rename = "kind-of")]
    kind: String,
    #[serde(skip)]
    #[allow(dead_code, reason = "it is in no JSON")]
    skipped: String,
    #[serde(alias = "old")]
    new_name: String,
}

/// Defaults of fields.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Defaulted", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct DefaultedSpec {
    #[serde(default)]
    number: i32,
    #[serde(default = "seven")]
    seven: i32,
    #[serde(default)]
    list: Vec<String>,
    #[serde(default)]
    maybe: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(default)]
    point: Point,
}

fn seven() -> i32 {
    7
}

/// Defaults of a struct.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Sample {
    name: String,
    number: i32,
}

impl Default for Sample {
    fn default() -> Self {
        Sample { name: "none".into(), number: 3 }
    }
}

/// A struct with defaults.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Sampled", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct SampledSpec {
    sample: Sample,
}

/// Limits by schemars.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Limited", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct LimitedSpec {
    #[schemars(range(min = 1, max = 9))]
    number: i32,
    #[schemars(length(min = 1, max = 5))]
    text: String,
    #[schemars(regex(pattern = "^a"))]
    word: String,
    #[schemars(length(max = 3), inner(length(max = 4)))]
    list: Vec<String>,
    #[schemars(email)]
    email: String,
    #[schemars(url)]
    link: String,
    #[schemars(range(max = 9))]
    maybe: Option<u8>,
}

/// Descriptions.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Worded", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
#[allow(deprecated, reason = "one of its fields is")]
pub(crate) struct WordedSpec {
    /// A title.
    ///
    /// A description
    /// of two lines.
    text: String,
    #[schemars(description = "Other words", title = "Title")]
    described: String,
    #[deprecated]
    old: String,
}

/// A struct without other fields.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Closed", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedSpec {
    point: Shut,
}

#[derive(Clone, Debug, Default, Schema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shut {
    x: i32,
}

#[derive(Clone, Debug, Default, JsonSchema, Deserialize, Serialize)]
pub(crate) struct Wrapped(u16);

#[derive(Clone, Debug, Default, Schema, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Transparent {
    text: String,
}

/// Types around one value.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Wrapping", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct WrappingSpec {
    wrapped: Wrapped,
    transparent: Transparent,
}

/// Types of Kubernetes.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(group = "shapes.example.com", version = "v1", kind = "Borrowed", namespaced)
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct BorrowedSpec {
    conditions: Vec<Condition>,
    limit: IntOrString,
    size: Quantity,
    at: Option<Time>,
}

/// A limit.
#[derive(Clone, Debug, Default, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", x_kube(validation = Rule::new("self.min <= self.max").message("min is above max").field_path(".min")))]
#[cfg_attr(
    not(feature = "kube"),
    resource(rule("self.min <= self.max", message = "min is above max", field_path = ".min"))
)]
pub(crate) struct Limit {
    name: String,
    #[cfg_attr(feature = "kube", x_kube(validation = Rule::new("self > 0").reason(Reason::FieldValueForbidden)))]
    #[cfg_attr(not(feature = "kube"), resource(rule("self > 0", reason = "FieldValueForbidden")))]
    min: i32,
    #[cfg_attr(feature = "kube", x_kube(validation = Rule::new("self < 9").message(Message::Expression("'nine at most'".into()))))]
    #[cfg_attr(not(feature = "kube"), resource(rule("self < 9", message_expression = "'nine at most'")))]
    max: i32,
}

/// Rules of CEL for objects, fields and structs.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Ruled", namespaced, validation = Rule::new("self.metadata.name != 'a'").message("not a")))]
#[cfg_attr(
    not(feature = "kube"),
    resource(
        group = "shapes.example.com",
        version = "v1",
        rule("self.metadata.name != 'a'", message = "not a")
    )
)]
pub(crate) struct RuledSpec {
    limit: Limit,
    #[cfg_attr(feature = "kube", x_kube(validation = Rule::new("self.size() < 9")))]
    #[cfg_attr(not(feature = "kube"), resource(rule("self.size() < 9")))]
    text: Option<String>,
}

/// Merges of server-side apply.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(feature = "kube", kube(group = "shapes.example.com", version = "v1", kind = "Merged", namespaced))]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1"))]
pub(crate) struct MergedSpec {
    #[cfg_attr(feature = "kube", x_kube(merge_strategy = ListMerge::Set))]
    #[cfg_attr(not(feature = "kube"), resource(list_type = "set"))]
    tags: Vec<String>,
    #[cfg_attr(feature = "kube", x_kube(merge_strategy = ListMerge::Map(vec!["name".into()])))]
    #[cfg_attr(not(feature = "kube"), resource(list_type = "map", list_map_keys("name")))]
    limits: Vec<Limit>,
    #[cfg_attr(feature = "kube", x_kube(merge_strategy = ListMerge::Atomic))]
    #[cfg_attr(not(feature = "kube"), resource(list_type = "atomic"))]
    numbers: Vec<i32>,
    #[cfg_attr(feature = "kube", x_kube(merge_strategy = MapMerge::Atomic))]
    #[cfg_attr(not(feature = "kube"), resource(map_type = "atomic"))]
    labels: BTreeMap<String, String>,
    #[cfg_attr(feature = "kube", x_kube(merge_strategy = StructMerge::Atomic))]
    #[cfg_attr(not(feature = "kube"), resource(struct_type = "atomic"))]
    point: Point,
}

#[derive(Clone, Debug, Default, JsonSchema, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WholeStatus {
    replicas: i32,
    selector: String,
}

/// All that a definition says beside its schema.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(
        group = "shapes.example.com",
        version = "v1",
        kind = "Whole",
        plural = "wholes",
        singular = "one",
        shortname = "w",
        shortname = "wh",
        category = "all",
        status = "WholeStatus",
        scale(
            spec_replicas_path = ".spec.replicas",
            status_replicas_path = ".status.replicas",
            label_selector_path = ".status.selector"
        ),
        printcolumn(
            name = "Color",
            type_ = "string",
            json_path = ".spec.color",
            description = "Paint",
            format = "byte",
            priority = 1
        ),
        selectable = ".spec.color",
        annotation("example.com/team", "paint"),
        label("app", "shapes"),
        doc = "Words."
    )
)]
#[cfg_attr(not(feature = "kube"), resource(group = "shapes.example.com", version = "v1", 
    plural = "wholes", singular = "one", short_name = "w", short_name = "wh", category = "all", status = WholeStatus, scope = Cluster,
    scale(spec = ".spec.replicas", status = ".status.replicas", selector = ".status.selector"),
    column(name = "Color", type = "string", path = ".spec.color", description = "Paint", format = "byte", priority = 1),
    selectable_field = ".spec.color", annotation("example.com/team", "paint"), label("app", "shapes")
))]
pub(crate) struct WholeSpec {
    replicas: i32,
    color: String,
}

/// A version that is deprecated and not served.
#[derive(Clone, Debug, Default, CustomResource, Schema, Deserialize, Serialize)]
#[cfg_attr(
    feature = "kube",
    kube(
        group = "shapes.example.com",
        version = "v1",
        kind = "Past",
        namespaced,
        deprecated = "use v2",
        served = false
    )
)]
#[cfg_attr(
    not(feature = "kube"),
    resource(group = "shapes.example.com", version = "v1", deprecated = "use v2", not_served)
)]
pub(crate) struct PastSpec {
    name: String,
}

/// A shape by its name, and its definition.
type Shape = (&'static str, fn() -> Value);

/// The definitions of all shapes.
pub(crate) fn all() -> Vec<Shape> {
    vec![
        ("Scalar", definition::<Scalar>),
        ("Integer", definition::<Integer>),
        ("Float", definition::<Float>),
        ("Letter", definition::<Letter>),
        ("Maybe", definition::<Maybe>),
        ("Series", definition::<Series>),
        ("Unique", definition::<Unique>),
        ("Fixed", definition::<Fixed>),
        ("Table", definition::<Table>),
        ("Nest", definition::<Nest>),
        ("Anything", definition::<Anything>),
        ("Choice", definition::<Choice>),
        ("MaybeChoice", definition::<MaybeChoice>),
        ("Variant", definition::<Variant>),
        ("MaybeVariant", definition::<MaybeVariant>),
        ("Tag", definition::<Tag>),
        ("Untagged", definition::<Untagged>),
        ("Flat", definition::<Flat>),
        ("FlatVariant", definition::<FlatVariant>),
        ("Open", definition::<Open>),
        ("Renamed", definition::<Renamed>),
        ("Defaulted", definition::<Defaulted>),
        ("Sampled", definition::<Sampled>),
        ("Limited", definition::<Limited>),
        ("Worded", definition::<Worded>),
        ("Closed", definition::<Closed>),
        ("Wrapping", definition::<Wrapping>),
        ("Borrowed", definition::<Borrowed>),
        ("Ruled", definition::<Ruled>),
        ("Merged", definition::<Merged>),
        ("Whole", definition::<Whole>),
        ("Past", definition::<Past>),
    ]
}
