//! Validation of the schemas of a definition.

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, list_at, text_at};
use klient_cel::Effort;
use klient_schema::apiextensions_v1::JSON_SCHEMA_PROPS;
use serde_json::Value;

use super::default_validation;
use super::expressions::{Expressions, Position};
use super::field_path;
use super::openapi_lists;
use super::path::{child, key};
use super::schema::{any, flag, list, schema_at, schemas};
use super::structural::{self, Structural};
use super::validations;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Keywords allowed at the root with the status subresource, in Go's names and in those of JSON.
const AT_ROOT: [(&str, &str); 22] = [
    ("Description", "description"),
    ("Type", "type"),
    ("Format", "format"),
    ("Title", "title"),
    ("Maximum", "maximum"),
    ("ExclusiveMaximum", "exclusiveMaximum"),
    ("Minimum", "minimum"),
    ("ExclusiveMinimum", "exclusiveMinimum"),
    ("MaxLength", "maxLength"),
    ("MinLength", "minLength"),
    ("Pattern", "pattern"),
    ("MaxItems", "maxItems"),
    ("MinItems", "minItems"),
    ("UniqueItems", "uniqueItems"),
    ("MultipleOf", "multipleOf"),
    ("Required", "required"),
    ("Items", "items"),
    ("Properties", "properties"),
    ("ExternalDocs", "externalDocs"),
    ("Example", "example"),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"),
    ("XValidations", "x-kubernetes-validations"),
];

/// The steps that the validation of one schema, without those below it, takes of the effort of the thread.
const STEPS: u64 = 100;

/// Validates the schema of a version, or that of all versions. The cost of its rules does not matter if it was
/// `accepted` before. The result is of no use if the effort of the thread does not suffice.
pub(super) fn validate(schema: &Map, has_status: bool, accepted: bool, path: &str) -> Vec<FieldError> {
    if any(schema, &|_| !Effort::take(STEPS)) {
        return Vec::new();
    }
    let path = child(path, "openAPIV3Schema");
    let mut problems = ErrorList::default();
    if has_status {
        problems.0.extend(root_problem(schema, &path));
    }
    if flag(schema, "nullable") {
        problems.add(FieldError::forbidden(child(&path, "nullable"), "nullable cannot be true at the root"));
    }
    let unsupported = unsupported(schema);
    let mut position = None;
    if unsupported.is_none() {
        let found = structural::validation::validate(schema, &path);
        let structural = found.is_empty();
        problems.0.extend(found);
        if structural {
            let mut parsed = Structural::parse_for_defaults(schema);
            parsed.embedded = true;
            let found = default_validation::validate(&parsed, schema, &path);
            if found.is_empty() && validations::has_rules(schema) {
                position = Some(Position::root(schema));
            }
            problems.0.extend(found);
        }
    }
    let expressions = Expressions::new(accepted);
    let mut walk = Walk { problems: &mut problems, expressions };
    walk.schema(schema, Context { is_root: true, ..Context::default() }, position.as_ref(), &path);
    let Walk { mut expressions, .. } = walk;
    problems.0.append(&mut expressions.errors);
    if let (true, Some(unsupported)) = (problems.0.is_empty(), unsupported) {
        problems.add(FieldError::invalid(path.as_str(), "", unsupported));
    }
    problems.0.extend(expressions.total_errors(&path));
    problems.0
}

/// Returns true if an accepted schema is a structural one.
pub(super) fn is_structural(schema: &Map) -> bool {
    unsupported(schema).is_none() && structural::validation::is_structural(schema)
}

/// The first keyword not allowed at the root with the status subresource.
fn root_problem(schema: &Map, path: &str) -> Option<FieldError> {
    let said = JSON_SCHEMA_PROPS.fields.iter().filter(|field| schema.contains_key(field.json));
    for field in said {
        let ty = text_at(schema, &["type"]);
        if field.json == "type" && ty != "object" {
            let message = r#"only "object" is allowed as the type at the root of the schema if the status subresource is enabled"#;
            return Some(FieldError::invalid(child(path, "type"), ty, message));
        }
        if !AT_ROOT.iter().any(|(_, name)| *name == field.json) {
            let names: Vec<&str> = AT_ROOT.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
                names.join(" ")
            );
            return Some(FieldError::invalid(path, schema.clone(), message));
        }
    }
    None
}

/// A keyword that structural schemas do not support.
fn unsupported(schema: &Map) -> Option<String> {
    const FIELDS: [(&str, &str); 7] = [
        ("id", "id"),
        ("$schema", "schema"),
        ("$ref", "$ref"),
        ("patternProperties", "patternProperties"),
        ("dependencies", "dependencies"),
        ("additionalItems", "additionalItems"),
        ("definitions", "definitions"),
    ];
    let field = FIELDS.iter().find(|(name, _)| any(schema, &|schema| schema.contains_key(*name)));
    if let Some((_, shown)) = field {
        return Some(format!("OpenAPIV3Schema '{shown}' is not supported"));
    }
    // An empty list is no schema.
    if any(schema, &|schema| !list_at(schema, &["items"]).is_empty()) {
        return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned());
    }
    let closed =
        |schema: &Map| schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false));
    any(schema, &closed).then(|| {
        "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined".to_owned()
    })
}

/// The context of a schema.
#[derive(Clone, Copy, Default)]
struct Context {
    is_root: bool,
    /// True for the schema of `apiVersion`, `kind` or `metadata`, and those nested in it.
    in_meta: bool,
    /// The reason that forbids defaults, if any.
    no_defaults: Option<NoDefaults>,
}

#[derive(Clone, Copy)]
enum NoDefaults {
    ApiVersion,
    Kind,
    Metadata,
    MetadataEntries,
}

impl NoDefaults {
    fn reason(self) -> &'static str {
        match self {
            NoDefaults::ApiVersion => "must not be set in top-level apiVersion",
            NoDefaults::Kind => "must not be set in top-level kind",
            NoDefaults::Metadata => "must not be set in top-level metadata",
            NoDefaults::MetadataEntries => {
                "must not be set inside additionalProperties applying to object metadata"
            }
        }
    }
}

struct Walk<'a> {
    problems: &'a mut ErrorList,
    expressions: Expressions,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &Map, context: Context, position: Option<&Position>, path: &str) {
        let before = self.problems.0.len();
        let inner = Context { is_root: false, ..context };
        self.own(schema, context, path);
        if flag(schema, "uniqueItems") {
            let message = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.forbid(path, "uniqueItems", message);
        }
        self.additional(schema, inner, position, path);
        for (name, property) in schemas(schema, "properties") {
            let context = property_context(schema, name, context);
            let position = position.map(|position| position.property(schema, name, path));
            self.schema(property, context, position.as_ref(), &key(&child(path, "properties"), name));
        }
        if let Some(not) = schema_at(schema, "not") {
            self.schema(not, inner, None, &child(path, "not"));
        }
        for name in ["allOf", "oneOf", "anyOf"] {
            for (index, schema) in list(schema, name) {
                self.schema(schema, inner, None, &key(&child(path, name), index));
            }
        }
        for (name, schema) in schemas(schema, "definitions") {
            self.schema(schema, inner, None, &key(&child(path, "definitions"), name));
        }
        if let Some(items) = schema_at(schema, "items") {
            let position = position.map(|position| position.items(schema, path));
            self.schema(items, inner, position.as_ref(), &child(path, "items"));
        }
        for (index, schema) in list(schema, "items") {
            self.schema(schema, inner, None, &key(&child(path, "items"), index));
        }
        for (name, schema) in schemas(schema, "dependencies") {
            self.schema(schema, inner, None, &key(&child(path, "dependencies"), name));
        }
        openapi_lists::validate(schema, path, self.problems);
        self.expressions(schema, path);
        let has_rules = !list_at(schema, &["x-kubernetes-validations"]).is_empty();
        // What is wrong with a schema would be wrong with the types of its rules, too.
        if let Some(position) = position.filter(|_| has_rules && self.problems.0.len() == before) {
            self.expressions.check(schema, position, path);
        }
    }

    fn forbid(&mut self, path: &str, name: &str, message: &str) {
        self.problems.add(FieldError::forbidden(child(path, name), message));
    }

    fn own(&mut self, schema: &Map, context: Context, path: &str) {
        let ty = text_at(schema, &["type"]);
        if !ty.is_empty() && !TYPES.contains(&ty) {
            self.problems.add(FieldError::not_supported(child(path, "type"), ty, &TYPES));
        }
        if let Some(no_defaults) = context.no_defaults.filter(|_| schema.contains_key("default")) {
            self.forbid(path, "default", no_defaults.reason());
        }
        for name in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
            if schema.contains_key(name) {
                self.forbid(path, name, &format!("{name} is not supported"));
            }
        }
        if ty == "null" {
            self.forbid(path, "type", "type cannot be set to null, use nullable as an alternative");
        }
        if !list_at(schema, &["items"]).is_empty() {
            self.forbid(path, "items", "items must be a schema object and not an array");
        }
        if context.in_meta && flag(schema, "x-kubernetes-embedded-resource") {
            self.forbid(path, "x-kubernetes-embedded-resource", "must not be used inside of resource meta");
        }
    }

    fn additional(&mut self, schema: &Map, context: Context, position: Option<&Position>, path: &str) {
        let Some(additional) = schema.get("additionalProperties") else { return };
        if schemas(schema, "properties").next().is_some() && additional != &Value::Bool(true) {
            let message = "additionalProperties and properties are mutual exclusive";
            self.forbid(path, "additionalProperties", message);
        }
        if let Some(additional) = additional.as_object() {
            // The fields of a default that would be pruned depend on the keys, which are unknown.
            let no_defaults =
                if context.in_meta { Some(NoDefaults::MetadataEntries) } else { context.no_defaults };
            let context = Context { no_defaults, ..context };
            let position = position.map(|position| position.values(schema));
            self.schema(additional, context, position.as_ref(), &child(path, "additionalProperties"));
        }
    }

    /// Validates rules, except for their expressions.
    fn expressions(&mut self, schema: &Map, path: &str) {
        if list_at(schema, &["x-kubernetes-validations"]).is_empty() {
            return;
        }
        let readable = Some(schema).filter(|schema| unsupported(schema).is_none());
        for (index, rule) in list(schema, "x-kubernetes-validations") {
            self.expression(readable, rule, &key(&child(path, "x-kubernetes-validations"), index));
        }
    }

    fn expression(&mut self, schema: Option<&Map>, rule: &Map, path: &str) {
        const REASONS: [&str; 4] =
            ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
        let text = |name: &str| text_at(rule, &[name]);
        let breaks = |text: &str| text.contains(['\n', '\r']);
        let (expression, message) = (text("rule").trim(), text("message").trim());
        let problems = &mut *self.problems;
        if expression.is_empty() {
            problems.add(FieldError::required(child(path, "rule"), "rule is not specified"));
        } else if message.is_empty() && !text("message").is_empty() {
            let detail = "must be non-empty if specified";
            problems.add(FieldError::invalid(child(path, "message"), text("message"), detail));
        } else if breaks(message) {
            let detail = "must not contain line breaks";
            problems.add(FieldError::invalid(child(path, "message"), text("message"), detail));
        } else if breaks(expression) && message.is_empty() {
            let detail = "message must be specified if rule contains line breaks";
            problems.add(FieldError::required(child(path, "message"), detail));
        }
        if text("messageExpression").trim().is_empty() && !text("messageExpression").is_empty() {
            let detail = "messageExpression must be non-empty if specified";
            problems.add(FieldError::required(child(path, "messageExpression"), detail));
        }
        if let Some(reason) = rule.get("reason").filter(|reason| !REASONS.iter().any(|known| reason == known))
        {
            problems.add(FieldError::not_supported(child(path, "reason"), reason.clone(), &REASONS));
        }
        let field = text("fieldPath");
        let mut refuse =
            |detail: &str| problems.add(FieldError::invalid(child(path, "fieldPath"), field, detail));
        if !field.is_empty() && field.trim().is_empty() {
            refuse("must be non-empty if specified");
        }
        if breaks(field) {
            refuse("must not contain line breaks");
        }
        let leads_nowhere = schema.is_some_and(|schema| field_path::resolve(field, schema, true).is_err());
        if !field.is_empty() && leads_nowhere {
            refuse("must be a valid path");
        }
    }
}

/// The context of a field's schema.
fn property_context(schema: &Map, name: &str, context: Context) -> Context {
    let inner = Context { is_root: false, ..context };
    let no_defaults = match name {
        "apiVersion" => NoDefaults::ApiVersion,
        "kind" => NoDefaults::Kind,
        "metadata" => NoDefaults::Metadata,
        _ => return inner,
    };
    if context.is_root {
        return Context { in_meta: true, no_defaults: Some(no_defaults), ..inner };
    }
    Context { in_meta: inner.in_meta || flag(schema, "x-kubernetes-embedded-resource"), ..inner }
}
