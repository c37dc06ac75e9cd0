//! CustomResourceDefinitions: defaults, validation, and the served form of accepted ones.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use klient_schema::apiextensions_v1::CUSTOM_RESOURCE_DEFINITION_STATUS;
use serde_json::{Value, json};

pub use super::approval::is_annotated_anew;
pub use super::naming::{Termination, establish, has_its_names, is_established, terminating};
pub use super::validation::{validate, validate_name, validate_status, validate_update};

use klient_apimachinery::jsonpath::JsonPath;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Map, list_at, map_at, text_at};
use klient_cel::Effort;

use super::naming::record_storage_version;
use super::publish::{OpenApi, Source};
use super::scale::Scale;
use super::schema::schema_at;
use super::structural::Structural;
use super::validation_result::unchecked_expressions;
use super::validations::{self, Validations};
use super::version::warning;

/// The finalizer that keeps a definition until its objects are deleted.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Sets the defaults of a definition.
pub fn default(object: &mut Map) {
    let spec = map_at(object, "spec");
    let names = map_at(spec, "names");
    let kind = text_at(names, &["kind"]).to_owned();
    if !kind.is_empty() {
        let missing = |names: &Map, name: &str| text_at(names, &[name]).is_empty();
        if missing(names, "singular") {
            names.insert("singular".to_owned(), kind.to_lowercase().into());
        }
        if missing(names, "listKind") {
            names.insert("listKind".to_owned(), format!("{kind}List").into());
        }
    }
    let conversion = spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
    let service = conversion.pointer_mut("/webhook/clientConfig/service").and_then(Value::as_object_mut);
    if let Some(service) = service {
        service.entry("port").or_insert_with(|| 443.into());
    }
    if list_at(object, &["status", "storedVersions"]).is_empty() {
        record_storage_version(object);
    }
}

/// Copies the status from the old definition, or creates an empty one: only the server writes it.
pub fn prepare(object: &mut Map, old: Option<&Map>) {
    let status = old.and_then(|old| old.get("status")).cloned();
    let empty = || values::empty(&CUSTOM_RESOURCE_DEFINITION_STATUS).into();
    object.insert("status".to_owned(), status.unwrap_or_else(empty));
    record_storage_version(object);
}

/// An accepted definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// API group of the objects.
    pub group: String,
    /// Accepted plural name, as in URLs.
    pub plural: String,
    /// Accepted singular name.
    pub singular: String,
    /// Accepted kind.
    pub kind: String,
    /// Accepted kind of lists.
    pub list_kind: String,
    /// Accepted short names.
    pub short_names: Vec<String>,
    /// Groups of resources such as `all`.
    pub categories: Vec<String>,
    /// True for namespaced objects.
    pub namespaced: bool,
    /// All versions, in the order of the definition.
    pub versions: Vec<Version>,
    /// Webhook that converts objects between the versions, if that is the strategy.
    pub conversion: Option<ConversionWebhook>,
    /// Hash of the spec and names, to detect changes of what is served.
    pub schema_hash: u64,
}

/// A conversion webhook.
#[derive(Clone, Debug)]
pub struct ConversionWebhook {
    /// Address and certificate authority, as the definition has them.
    pub client_config: Map,
    /// Versions of ConversionReview that the webhook accepts, the preferred first.
    pub review_versions: Vec<String>,
}

impl ConversionWebhook {
    fn parse(spec: &Map) -> Option<ConversionWebhook> {
        let conversion = schema_at(spec, "conversion")?;
        let webhook = schema_at(conversion, "webhook")?;
        let versions = list_at(webhook, &["conversionReviewVersions"]).iter().filter_map(Value::as_str);
        let is_strategy = text_at(conversion, &["strategy"]) == "Webhook";
        is_strategy.then(|| ConversionWebhook {
            client_config: schema_at(webhook, "clientConfig").cloned().unwrap_or_default(),
            review_versions: versions.map(str::to_owned).collect(),
        })
    }
}

/// A version of a custom resource.
#[derive(Clone, Debug)]
pub struct Version {
    /// Name, such as `v1beta1`.
    pub name: String,
    /// True if the version is served.
    pub served: bool,
    /// True if objects are stored in this version.
    pub storage: bool,
    /// Warning for clients, if the version is deprecated.
    pub warning: Option<String>,
    /// Structural schema of the objects.
    pub schema: Structural,
    /// Merge schema for server-side apply.
    pub fields: klient_structured_merge::Schema,
    /// Hash of the schema: objects stored with another are pruned and defaulted when they are read.
    pub schema_hash: u64,
    /// True if the version has the status subresource.
    pub has_status: bool,
    /// Paths of the scale subresource, if there is one.
    pub scale: Option<Scale>,
    /// Printer columns after the name.
    pub columns: Vec<Column>,
    /// Selectable fields, such as `spec.color`.
    pub selectable: Vec<String>,
    pub(super) source: Source,
    rules: Arc<LazyRules>,
}

/// The time in which the rules of a version are compiled, though the request that needs them first is given up.
const COMPILE_TIME: Duration = Duration::from_secs(300);

/// The time after which a thread that waits for another's compilation looks whether its own time is over.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The rules of a version, which are compiled when the first object is validated. An effort that does not suffice for that
/// leaves them to the next.
#[derive(Debug)]
struct LazyRules {
    /// The schema, if it has rules.
    schema: Option<Map>,
    compiled: OnceLock<Option<Validations>>,
    /// True while a thread compiles them.
    compiling: Mutex<bool>,
    /// The end of a compilation.
    ended: Condvar,
}

/// A compilation, which ends when it is dropped.
struct Compilation<'a>(&'a LazyRules);

impl Drop for Compilation<'_> {
    fn drop(&mut self) {
        *self.0.compiling.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.ended.notify_all();
    }
}

impl LazyRules {
    fn of(schema: Option<&Map>) -> Self {
        let schema = schema.filter(|schema| validations::has_rules(schema)).cloned();
        LazyRules { schema, compiled: OnceLock::new(), compiling: Mutex::default(), ended: Condvar::new() }
    }

    fn get(&self) -> Option<&Validations> {
        let schema = self.schema.as_ref()?;
        if let Some(compiled) = self.compiled.get() {
            return compiled.as_ref();
        }
        let mut compiling = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        while *compiling {
            // A thread that waits has one of the few permits of long work, and gives it back when its time is over.
            if !Effort::may_wait() || Effort::is_late() {
                return None;
            }
            let woken = self.ended.wait_timeout(compiling, LOOK_AGAIN);
            (compiling, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if self.compiled.get().is_none() {
            *compiling = true;
            drop(compiling);
            let _compilation = Compilation(self);
            let deadline = Instant::now() + COMPILE_TIME;
            let compiled = Effort::for_others(deadline, || Validations::compile(schema, true)).ok()?;
            // One thread compiles at a time, so that there is none yet.
            let _ = self.compiled.set(compiled);
        }
        self.compiled.get()?.as_ref()
    }
}

/// A column of a `Table`.
#[derive(Clone, Debug)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// OpenAPI type of the cells.
    pub ty: String,
    /// OpenAPI format of the cells; may be empty.
    pub format: String,
    /// 0 for columns that are always printed; greater for those of `-o wide`.
    pub priority: i32,
    /// Description of the column.
    pub description: String,
    /// Path of the cell's value in the object.
    path: JsonPath,
}

impl Column {
    /// The number of values that a step of the path may lead to.
    const FOUND_MAX: usize = 100_000;

    /// The value of an object's cell: the first that the path leads to.
    pub fn value(&self, object: &Map) -> Option<Value> {
        let found = self.path.find_in(object, Column::FOUND_MAX).ok()?;
        found.first().map(|found| found.to_value())
    }
}

impl Definition {
    /// Reads a definition; `None` if it lacks a name. The names are the accepted ones, or the requested ones before
    /// any are accepted.
    pub fn parse(object: &Map) -> Option<Definition> {
        let (spec, names) = spec_and_names(object)?;
        let text = |name: &str| text_at(names, &[name]).to_owned();
        let texts = |name: &str| {
            list_at(names, &[name]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let versions: Vec<&Map> = list_at(spec, &["versions"]).iter().filter_map(Value::as_object).collect();
        let definition = Definition {
            group: text_at(spec, &["group"]).to_owned(),
            plural: text("plural"),
            singular: text("singular"),
            kind: text("kind"),
            list_kind: text("listKind"),
            short_names: texts("shortNames"),
            categories: texts("categories"),
            namespaced: text_at(spec, &["scope"]) == "Namespaced",
            versions: versions.iter().map(|version| Version::parse(version, spec, &versions)).collect(),
            conversion: ConversionWebhook::parse(spec),
            schema_hash: schema_hash((spec, names)),
        };
        let named = [&definition.group, &definition.plural, &definition.kind];
        named.iter().all(|name| !name.is_empty()).then_some(definition)
    }

    /// The [`schema_hash`](Definition::schema_hash) of a definition that need not be parsed for it; `None` if it lacks its
    /// spec or names.
    pub fn hash(object: &Map) -> Option<u64> {
        spec_and_names(object).map(schema_hash)
    }
}

/// The spec of a definition and its accepted names, or the requested ones before any are accepted.
fn spec_and_names(object: &Map) -> Option<(&Map, &Map)> {
    let spec = schema_at(object, "spec")?;
    let accepted = schema_at(object, "status").and_then(|status| schema_at(status, "acceptedNames"));
    let accepted = accepted.filter(|names| !text_at(names, &["plural"]).is_empty());
    Some((spec, accepted.or_else(|| schema_at(spec, "names"))?))
}

impl Version {
    /// The schema of the objects in an OpenAPI document. `metadata` is the schema of their metadata.
    pub fn publish(&self, openapi: OpenApi, metadata: &Value) -> Map {
        self.source.publish(openapi, metadata)
    }

    fn parse(version: &Map, spec: &Map, versions: &[&Map]) -> Version {
        let flag = |name: &str| version.get(name) == Some(&Value::Bool(true));
        let schema = schema_at(version, "schema").and_then(|schema| schema_at(schema, "openAPIV3Schema"));
        let subresources = schema_at(version, "subresources");
        let selectable = list_at(version, &["selectableFields"]).iter();
        let selectable = selectable.filter_map(|field| field.get("jsonPath")?.as_str());
        Version {
            name: text_at(version, &["name"]).to_owned(),
            served: flag("served"),
            storage: flag("storage"),
            warning: warning(version, spec, versions),
            schema: schema.map(Structural::parse).unwrap_or_default(),
            fields: fields(schema, spec),
            source: Source::new(schema, spec.get("preserveUnknownFields") == Some(&Value::Bool(true))),
            schema_hash: schema_hash(schema),
            has_status: subresources.is_some_and(|subresources| schema_at(subresources, "status").is_some()),
            scale: subresources.and_then(|subresources| schema_at(subresources, "scale")).map(Scale::parse),
            columns: columns(list_at(version, &["additionalPrinterColumns"])),
            selectable: selectable.map(|path| path.strip_prefix('.').unwrap_or(path).to_owned()).collect(),
            rules: Arc::new(LazyRules::of(schema)),
        }
    }

    /// Validates a new object, whose metadata has these errors. The rules are not evaluated for an object whose fields lack
    /// what they rely on.
    pub fn validate(&self, object: &Map, metadata: Vec<FieldError>) -> Vec<FieldError> {
        let mut errors = metadata;
        errors.extend(self.schema.validate(object));
        errors.extend(self.scale.iter().flat_map(|scale| scale.validate_spec(object)));
        errors.extend(self.scale.iter().flat_map(|scale| scale.validate_status(object)));
        self.with_rules(errors, object, None).errors
    }

    /// Validates an update of an object, as [`validate`](Self::validate); errors of unchanged values are warnings
    /// (ratcheting).
    pub fn validate_update(&self, object: &Map, old: &Map, metadata: Vec<FieldError>) -> Validated {
        let mut errors = metadata;
        errors.extend(self.schema.validate_update(object, old));
        errors.extend(self.scale.iter().flat_map(|scale| scale.validate_spec(object)));
        errors.extend(self.scale.iter().flat_map(|scale| scale.validate_status(object)));
        self.with_rules(errors, object, Some(old))
    }

    /// Validates an update of a status, as [`validate`](Self::validate); errors of unchanged values are dropped
    /// (ratcheting).
    pub fn validate_status(&self, object: &Map, old: &Map, metadata: Vec<FieldError>) -> Vec<FieldError> {
        let mut errors = metadata;
        errors.extend(self.schema.validate_status(object, old));
        errors.extend(self.scale.iter().flat_map(|scale| scale.validate_status(object)));
        self.with_rules(errors, object, Some(old)).errors
    }

    fn with_rules(&self, mut errors: Vec<FieldError>, object: &Map, old: Option<&Map>) -> Validated {
        let Some(rules) = self.rules.get() else { return errors.into() };
        if let Some(error) = unchecked_expressions(&errors) {
            errors.push(error);
            return errors.into();
        }
        let outcome = rules.validate(object, old, &self.schema);
        errors.extend(outcome.errors);
        Validated { errors, warnings: outcome.ratcheted.iter().map(FieldError::to_string).collect() }
    }
}

/// The result of validating an update.
#[derive(Clone, Debug, Default)]
pub struct Validated {
    /// The errors, for which it is refused.
    pub errors: Vec<FieldError>,
    /// The errors of unchanged values, for which it is not.
    pub warnings: Vec<String>,
}

impl From<Vec<FieldError>> for Validated {
    fn from(errors: Vec<FieldError>) -> Self {
        Validated { errors, warnings: Vec::new() }
    }
}

/// The merge schema of a version. Without a schema, or with an invalid one, types are deduced from values.
fn fields(schema: Option<&Map>, spec: &Map) -> klient_structured_merge::Schema {
    let preserves = spec.get("preserveUnknownFields") == Some(&Value::Bool(true));
    let structural =
        schema.and_then(|schema| klient_structured_merge::Schema::structural(schema, preserves).ok());
    structural.unwrap_or(klient_structured_merge::Schema::DEDUCED)
}

fn schema_hash(part: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    hasher.finish()
}

/// The columns up to the first with an invalid path; the age if the version has none.
fn columns(columns: &[Value]) -> Vec<Column> {
    if columns.is_empty() {
        let age = json!({
            "name": "Age", "type": "date", "description": "When the object was created.",
            "jsonPath": ".metadata.creationTimestamp",
        });
        return age.as_object().and_then(column).into_iter().collect();
    }
    columns.iter().filter_map(Value::as_object).map_while(column).collect()
}

fn column(column: &Map) -> Option<Column> {
    let text = |name: &str| text_at(column, &[name]).to_owned();
    let path = text("jsonPath");
    let description = match text("description") {
        description if description.is_empty() => {
            format!("Custom resource definition column (in JSONPath format): {path}")
        }
        description => description,
    };
    let priority =
        column.get("priority").and_then(Value::as_i64).and_then(|priority| priority.try_into().ok());
    Some(Column {
        name: text("name"),
        ty: text("type"),
        format: text("format"),
        priority: priority.unwrap_or_default(),
        description,
        path: JsonPath::parse(&format!("{{{path}}}")).ok()?,
    })
}
