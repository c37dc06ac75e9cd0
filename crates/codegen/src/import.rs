//! Import of facts from a server's OpenAPI and discovery documents and from the fields of the Go modules.
//!
//! The directory holds `openapi-v2.json` (a server's `/openapi/v2`), `go-fields.tsv` (every Go field with its
//! tags), `proto-fields.tsv` (every protobuf field), `resources-all.json` and `resources.json` (discovery with
//! everything switched on, and with nothing), `resources.tsv` (storage behaviour), `discovery-apis.json` (for
//! the order of groups), `tables.json` (Table columns) and `version.json`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::{fmt, fs, io};

use serde_json::Value;

use crate::facts::{Column, Facts, Field, Member, Message, Package, Resource, Subresource, Type};

/// An error of the import of facts.
#[derive(Debug)]
pub enum ImportError {
    /// A file could not be read.
    Read(String, io::Error),
    /// A file does not hold what it should.
    Form(String),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "cannot read {path}: {error}"),
            Self::Form(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for ImportError {}

/// Reads the documents in `directory` into facts.
///
/// # Errors
///
/// If a file is missing or has another form than expected; the message names it.
pub fn import(directory: &Path) -> Result<Facts, ImportError> {
    Importer::read(directory)?.facts()
}

/// Reads the objects of a new cluster into one string, a JSON object per line, without the fields that differ between
/// clusters and those that the server completes.
///
/// # Errors
///
/// If a file is missing or has another form than expected; the message names it.
pub fn import_bootstrap(directory: &Path) -> Result<String, ImportError> {
    const KINDS: [&str; 11] = [
        "namespaces",
        "services",
        "servicecidrs",
        "priorityclasses",
        "apiservices",
        "clusterroles",
        "clusterrolebindings",
        "roles",
        "rolebindings",
        "prioritylevelconfigurations",
        "flowschemas",
    ];
    let mut out = String::new();
    for kind in KINDS {
        let path = directory.join("bootstrap").join(format!("{kind}.json"));
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| ImportError::Read(path.display().to_string(), error))?;
        let mut list: Value = serde_json::from_str(&text)
            .map_err(|error| ImportError::Form(format!("{}: {error}", path.display())))?;
        for mut object in array(list["items"].take()) {
            // The server completes its own namespaces, too: nobody owns that.
            if kind == "namespaces"
                && let Some(namespace) = object.as_object_mut()
            {
                namespace.remove("spec");
            }
            if let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
                for condition in conditions.iter_mut().filter_map(Value::as_object_mut) {
                    condition.remove("lastTransitionTime");
                    condition.remove("message");
                }
            }
            out.push_str(&object.to_string());
            out.push('\n');
        }
    }
    Ok(out)
}

/// Packages that no server lists but whose types clients and webhooks exchange.
const UNLISTED: [(&str, &str); 8] = [
    ("k8s.io.apimachinery.pkg.apis.meta.v1", "meta.k8s.io"),
    ("k8s.io.api.admission.v1", "admission.k8s.io"),
    ("k8s.io.api.admission.v1beta1", "admission.k8s.io"),
    ("k8s.io.api.apidiscovery.v2", "apidiscovery.k8s.io"),
    ("k8s.io.api.authentication.v1alpha1", "authentication.k8s.io"),
    ("k8s.io.api.authentication.v1beta1", "authentication.k8s.io"),
    ("k8s.io.api.authorization.v1beta1", "authorization.k8s.io"),
    ("k8s.io.api.imagepolicy.v1alpha1", "imagepolicy.k8s.io"),
];

/// Resources whose `metadata.generation` counts changes by a feature gate that is on (`HPAGeneration`), of which
/// `resources.tsv` does not know.
const COUNTED: [&str; 1] = ["horizontalpodautoscalers"];

/// Structs of Go that klient writes by hand or has no use for.
const BY_HAND: [&str; 12] = [
    "Duration",
    "FieldsV1",
    "InternalEvent",
    "JSON",
    "List",
    "MicroTime",
    "Patch",
    "Time",
    "Timestamp",
    "TypeMeta",
    "Verbs",
    "WatchEvent",
];

/// Required by the API server, although Go and so OpenAPI call them optional (kubernetes/kubernetes#124694).
const REQUIRED: [(&str, &str); 1] = [("LocalObjectReference", "name")];

/// Optional to the API server, although OpenAPI calls them required (kubernetes/kubernetes#131354, #130233).
const OPTIONAL: [(&str, &str); 3] =
    [("Event", "eventTime"), ("NetworkPolicySpec", "podSelector"), ("StatefulSetSpec", "serviceName")];

/// Values of Go's constants that are defaults.
const CONSTANTS: [(&str, &str); 2] =
    [("AzureDataDiskCachingReadWrite", "ReadWrite"), ("AzureSharedBlobDisk", "Shared")];

struct Importer {
    go: Vec<GoField>,
    proto: HashMap<(String, String, u32), (String, String)>,
    empty_messages: BTreeSet<(String, String)>,
    definitions: Value,
    all: Vec<Value>,
    served: BTreeSet<(String, String, String)>,
    storage: HashMap<(String, String), [bool; 4]>,
    group_order: Vec<String>,
    columns: HashMap<(String, String, String), Vec<Column>>,
    version: String,
}

struct GoField {
    package: String,
    message: String,
    go_type: String,
    json: String,
    inline: bool,
    omit_empty: bool,
    number: u32,
    list: String,
    map: String,
    patch: String,
    default: String,
    one_of: bool,
}

impl Importer {
    fn read(directory: &Path) -> Result<Self, ImportError> {
        let text = |name: &str| {
            let path = directory.join(name);
            fs::read_to_string(&path).map_err(|error| ImportError::Read(path.display().to_string(), error))
        };
        let json = |name: &str| -> Result<Value, ImportError> {
            serde_json::from_str(&text(name)?).map_err(|error| ImportError::Form(format!("{name}: {error}")))
        };
        let all = array(json("resources-all.json")?);
        let served = array(json("resources.json")?).iter().map(resource_key).collect();
        let mut proto = HashMap::new();
        let mut empty_messages = BTreeSet::new();
        for row in rows(&text("proto-fields.tsv")?) {
            if row[4] == "empty" {
                empty_messages.insert((row[0].to_owned(), row[1].to_owned()));
                continue;
            }
            let number = row[2].parse().unwrap_or(0);
            proto.insert(
                (row[0].to_owned(), row[1].to_owned(), number),
                (row[4].to_owned(), row[5].to_owned()),
            );
        }
        let columns = array(json("tables.json")?)
            .iter()
            .map(|table| {
                (resource_key(table), array(table["columnDefinitions"].clone()).iter().map(column).collect())
            })
            .collect();
        let storage = rows(&text("resources.tsv")?)
            .map(|row| {
                let yes = |index: usize| row.get(index) == Some(&"yes");
                ((row[0].to_owned(), row[1].to_owned()), [yes(10), yes(11), yes(12), yes(13)])
            })
            .collect();
        let group_order = array(json("discovery-apis.json")?["items"].clone())
            .iter()
            .map(|g| string(&g["metadata"]["name"]))
            .collect();
        Ok(Self {
            go: rows(&text("go-fields.tsv")?).map(|row| GoField::read(&row)).collect(),
            proto,
            empty_messages,
            definitions: json("openapi-v2.json")?["definitions"].take(),
            all,
            served,
            storage,
            group_order,
            columns,
            version: string(&json("version.json")?["gitVersion"]),
        })
    }

    fn facts(&self) -> Result<Facts, ImportError> {
        let mut wanted: BTreeMap<String, String> =
            UNLISTED.iter().map(|(proto, group)| ((*proto).to_owned(), (*group).to_owned())).collect();
        for resource in &self.all {
            let (group, version, _) = resource_key(resource);
            let proto = proto_package(&group, &version);
            if !self.go.iter().any(|field| field.package == proto) {
                return Err(ImportError::Form(format!("no Go package {proto} for {group}/{version}")));
            }
            wanted.insert(proto, group);
        }
        let mut packages = Vec::new();
        for (proto, group) in &wanted {
            packages.push(self.package(proto, group)?);
        }
        packages.sort_by_key(|package| self.order(package));
        resolve_aliases(&mut packages);
        Ok(Facts { kubernetes: self.version.clone(), scheme: self.scheme(), packages })
    }

    /// The group-versions of the scheme: those in which `DeleteOptions` are a kind.
    fn scheme(&self) -> Vec<String> {
        let options = &self.definitions["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"];
        let kinds = array(options["x-kubernetes-group-version-kind"].clone());
        let api_version = |kind: &Value| match (string(&kind["group"]), string(&kind["version"])) {
            (group, version) if group.is_empty() => version,
            (group, version) => format!("{group}/{version}"),
        };
        kinds.iter().map(api_version).collect()
    }

    /// Discovery's order: the core group, then groups by priority; within a group stable versions first and
    /// newer ones before older.
    fn order(&self, package: &Package) -> (usize, String, u8, std::cmp::Reverse<String>) {
        let group = match package.group.as_str() {
            "" => 0,
            name => self.group_order.iter().position(|group| group == name).map_or(usize::MAX, |at| at + 1),
        };
        let version = package.version();
        let stage = if version.contains("alpha") {
            2
        } else if version.contains("beta") {
            1
        } else {
            0
        };
        (group, package.group.clone(), stage, std::cmp::Reverse(version.to_owned()))
    }

    fn package(&self, proto: &str, group: &str) -> Result<Package, ImportError> {
        let mut parts = proto.rsplit('.');
        let (version, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut names: BTreeSet<&str> = self
            .go
            .iter()
            .filter(|field| field.package == proto)
            .map(|field| field.message.as_str())
            .collect();
        names.extend(
            self.empty_messages.iter().filter(|(package, _)| package == proto).map(|(_, name)| name.as_str()),
        );
        names.retain(|name| !BY_HAND.contains(name));
        let mut messages = Vec::new();
        for message in names {
            messages.push(self.message(proto, message)?);
        }
        let kinds: BTreeSet<String> =
            messages.iter().filter(|message| message.kind).map(|message| message.name.clone()).collect();
        for message in &mut messages {
            let item = message.name.strip_suffix("List").unwrap_or_default();
            message.list = message.kind && kinds.contains(item);
        }
        let mut package = Package {
            module: format!("{name}/{version}"),
            proto: proto.to_owned(),
            group: group.to_owned(),
            served: false,
            messages,
            resources: Vec::new(),
        };
        for resource in &self.all {
            let (resource_group, resource_version, _) = resource_key(resource);
            if resource_group == group && resource_version == version {
                package.resources.push(self.resource(resource, &package.api_version()));
            }
        }
        package.served = package.resources.iter().any(|resource| resource.served);
        Ok(package)
    }

    /// The definition of a struct that embeds one which has none.
    fn embedding(&self, proto: &str, name: &str) -> &Value {
        let embeds = |field: &&GoField| field.package == proto && field.inline && field.go_type == name;
        let outer = self.go.iter().find(embeds).map(|field| definition_name(proto, &field.message));
        outer.map_or(&Value::Null, |outer| &self.definitions[outer])
    }

    fn message(&self, proto: &str, name: &str) -> Result<Message, ImportError> {
        let definition = &self.definitions[definition_name(proto, name)];
        let required: Vec<String> = array(definition["required"].clone()).iter().map(string).collect();
        let atomic = definition["x-kubernetes-map-type"] == "atomic";
        let properties = match definition.is_object() {
            true => &definition["properties"],
            false => &self.embedding(proto, name)["properties"],
        };
        let union = union(&definition["x-kubernetes-unions"][0]);
        let mut message = Message { name: name.to_owned(), atomic, union, ..Default::default() };
        for go in self.go.iter().filter(|field| field.package == proto && field.message == name) {
            if go.inline {
                if go.go_type.ends_with("TypeMeta") {
                    message.kind = true;
                } else {
                    message.members.push(self.embed(proto, name, &go.go_type)?);
                }
                continue;
            }
            if go.json == "-" {
                continue;
            }
            let listed = required.contains(&go.json);
            let required = if definition.is_object() { listed } else { !go.omit_empty };
            message.members.push(Member::Field(Field {
                json: go.json.clone(),
                ty: self.field_type(proto, name, go)?,
                number: go.number,
                pointer: go.go_type.starts_with('*'),
                omit_empty: go.omit_empty,
                required: (required || REQUIRED.contains(&(name, &go.json)))
                    && !OPTIONAL.contains(&(name, &go.json)),
                list: go.list.clone(),
                map: go.map.clone(),
                patch: go.patch.clone(),
                default: go.default.clone(),
                values: values(&properties[&go.json]),
                one_of: go.one_of,
                meaning: String::new(),
            }));
        }
        Ok(message)
    }

    /// An embedded struct, found among the protobuf fields by its type: Go's tag may leave out the number.
    fn embed(&self, package: &str, message: &str, go_type: &str) -> Result<Member, ImportError> {
        let embedded = self.proto.iter().find(|((p, m, _), (_, proto))| {
            p == package && m == message && proto.rsplit('.').next() == Some(go_type)
        });
        let found =
            embedded.and_then(|((_, _, number), (_, proto))| Some((*number, proto_type(package, proto)?)));
        match found {
            Some((number, Type::Message(message))) => Ok(Member::Embed { message, number }),
            _ => Err(ImportError::Form(format!(
                "{package}.{message}: no protobuf field for embedded {go_type}"
            ))),
        }
    }

    fn field_type(&self, package: &str, message: &str, go: &GoField) -> Result<Type, ImportError> {
        let unknown = |what: &str| {
            ImportError::Form(format!("{package}.{message}.{}: no klient type for {what}", go.json))
        };
        let key = (package.to_owned(), message.to_owned(), go.number);
        let Some((label, proto)) = self.proto.get(&key) else {
            return go_type(&go.go_type).ok_or_else(|| unknown(&go.go_type));
        };
        let local = package;
        let one = |proto: &str| proto_type(local, proto).ok_or_else(|| unknown(proto));
        if let Some(map) = proto.strip_prefix("map<string, ") {
            return Ok(Type::Map(Box::new(one(map.trim_end_matches('>'))?)));
        }
        match label.as_str() {
            "repeated" => Ok(Type::List(Box::new(one(proto)?))),
            _ => one(proto),
        }
    }

    fn resource(&self, resource: &Value, api_version: &str) -> Resource {
        let key = resource_key(resource);
        let plural = key.2.clone();
        let storage = self.storage.get(&(api_version.to_owned(), plural.clone()));
        let [unconditional_update, create_on_update, returns_deleted, generation] =
            storage.copied().unwrap_or([true, false, false, false]);
        let generation = generation || COUNTED.contains(&plural.as_str());
        let subresources = array(resource["subresources"].clone())
            .iter()
            .map(|sub| {
                let kind = match (string(&sub["group"]), string(&sub["version"])) {
                    (_, version) if version.is_empty() => string(&sub["kind"]),
                    (group, version) => format!("{group}/{version}.{}", string(&sub["kind"])),
                };
                Subresource { name: string(&sub["name"]), kind, verbs: strings(&sub["verbs"]) }
            })
            .collect();
        Resource {
            kind: string(&resource["kind"]),
            singular: string(&resource["singular"]),
            namespaced: resource["namespaced"] == true,
            served: self.served.contains(&key),
            verbs: strings(&resource["verbs"]),
            short_names: strings(&resource["shortNames"]),
            categories: strings(&resource["categories"]),
            storage_hash: string(&resource["storageVersionHash"]),
            unconditional_update,
            create_on_update,
            returns_deleted,
            generation,
            subresources,
            columns: self.columns.get(&key).cloned().unwrap_or_default(),
            plural,
        }
    }
}

impl GoField {
    fn read(row: &[&str]) -> Self {
        let list = match (row[10], row[11]) {
            ("map", keys) => format!("map:{}", keys.replace([' ', ';', '|'], ",")),
            (list, _) => list.to_owned(),
        };
        let patch = if row[13].is_empty() && row[14].is_empty() {
            String::new()
        } else {
            format!("{}:{}", row[13], row[14])
        };
        let default = row.get(16).copied().unwrap_or_default();
        let constant = CONSTANTS.iter().find(|(name, _)| default == format!("ref({name})"));
        let default =
            constant.map(|(_, value)| Value::from(*value)).or_else(|| serde_json::from_str(default).ok());
        Self {
            package: row[0].to_owned(),
            message: row[1].to_owned(),
            json: row[3].to_owned(),
            go_type: row[4].to_owned(),
            inline: row[5] == "inline" || (row[3].is_empty() && row[2].is_empty()),
            omit_empty: row[6] == "omitempty",
            number: row[7].parse().unwrap_or(0),
            list,
            map: row[12].to_owned(),
            patch,
            default: default.map(|default| default.to_string()).unwrap_or_default(),
            one_of: row.get(17) == Some(&"oneof"),
        }
    }
}

/// Names that are no structs of their package are Go aliases of structs in a stabler version of the group.
fn resolve_aliases(packages: &mut [Package]) {
    let structs: Vec<(String, BTreeSet<String>)> = packages
        .iter()
        .map(|package| {
            (package.module.clone(), package.messages.iter().map(|message| message.name.clone()).collect())
        })
        .collect();
    for package in packages {
        let own: &BTreeSet<String> =
            &structs.iter().find(|(module, _)| *module == package.module).expect("own").1;
        let group = package.module.split('/').next().unwrap_or_default();
        for message in &mut package.messages {
            for member in &mut message.members {
                let Member::Field(field) = member else { continue };
                let Some(name) = message_name(&mut field.ty) else { continue };
                if name.contains('.') || own.contains(name) {
                    continue;
                }
                let home = structs
                    .iter()
                    .find(|(module, names)| module.split('/').next() == Some(group) && names.contains(name));
                if let Some((module, _)) = home {
                    *name = format!("{module}.{name}");
                }
            }
        }
    }
}

/// The allowed values of a string, or of the strings in a list or map.
fn values(property: &Value) -> Vec<String> {
    let places = [property, &property["items"], &property["additionalProperties"]];
    places.into_iter().flat_map(|place| strings(&place["enum"])).collect()
}

/// `DISCRIMINATOR:FIELD,FIELD` of a union.
fn union(union: &Value) -> String {
    let Some(fields) = union["fields-to-discriminateBy"].as_object() else { return String::new() };
    let fields: Vec<&str> = fields.keys().map(String::as_str).collect();
    format!("{}:{}", string(&union["discriminator"]), fields.join(","))
}

fn message_name(ty: &mut Type) -> Option<&mut String> {
    match ty {
        Type::Message(name) => Some(name),
        Type::List(item) | Type::Map(item) => message_name(item),
        _ => None,
    }
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn resource_key(value: &Value) -> (String, String, String) {
    (string(&value["group"]), string(&value["version"]), string(&value["resource"]))
}

fn column(value: &Value) -> Column {
    Column {
        priority: value["priority"].as_u64().unwrap_or(0) as u8,
        ty: string(&value["type"]),
        format: string(&value["format"]),
        name: string(&value["name"]),
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    array(value.clone()).iter().map(string).collect()
}

fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// The Go package of a served group-version. The first label of the group names it, but for these.
fn proto_package(group: &str, version: &str) -> String {
    match group {
        "" => format!("k8s.io.api.core.{version}"),
        "apiextensions.k8s.io" => format!("k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.{version}"),
        "apiregistration.k8s.io" => format!("k8s.io.kube_aggregator.pkg.apis.apiregistration.{version}"),
        "internal.apiserver.k8s.io" => format!("k8s.io.api.apiserverinternal.{version}"),
        "rbac.authorization.k8s.io" => format!("k8s.io.api.rbac.{version}"),
        "flowcontrol.apiserver.k8s.io" => format!("k8s.io.api.flowcontrol.{version}"),
        _ => format!("k8s.io.api.{}.{version}", group.split('.').next().unwrap_or_default()),
    }
}

fn definition_name(proto: &str, message: &str) -> String {
    let proto = proto
        .replacen("k8s.io.", "io.k8s.", 1)
        .replace("apiextensions_apiserver", "apiextensions-apiserver")
        .replace("kube_aggregator", "kube-aggregator");
    format!("{proto}.{message}")
}

fn proto_type(local: &str, proto: &str) -> Option<Type> {
    let scalar = match proto {
        "string" => Type::String,
        "bool" => Type::Bool,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        _ => {
            let proto = proto.trim_start_matches('.');
            let (package, name) = proto.rsplit_once('.').unwrap_or((local, proto));
            return message_type(local, package, name);
        }
    };
    Some(scalar)
}

fn message_type(local: &str, package: &str, name: &str) -> Option<Type> {
    let special = match (package, name) {
        ("k8s.io.apimachinery.pkg.apis.meta.v1", "Time" | "MicroTime" | "Duration" | "FieldsV1") => name,
        ("k8s.io.apimachinery.pkg.api.resource", "Quantity") => name,
        ("k8s.io.apimachinery.pkg.util.intstr", "IntOrString") => name,
        ("k8s.io.apimachinery.pkg.runtime", "RawExtension") => name,
        (_, "JSON" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray") => {
            name
        }
        (_, "ExtraValue" | "Verbs" | "AttestationValue") => "StringList",
        ("k8s.io.apimachinery.pkg.runtime" | "k8s.io.apimachinery.pkg.api.resource", _) => return None,
        _ => {
            let mut parts = package.rsplit('.');
            let (version, module) = (parts.next()?, parts.next()?);
            let name = if package == local { name.to_owned() } else { format!("{module}/{version}.{name}") };
            return Some(Type::Message(name));
        }
    };
    Some(Type::Special(special.to_owned()))
}

/// Types of the few structs that have no protobuf form: `Table` and its parts.
fn go_type(go: &str) -> Option<Type> {
    let scalar = match go {
        "string" | "RowConditionType" | "ConditionStatus" => Type::String,
        "int32" => Type::Int32,
        "interface{}" => Type::Special("JSON".to_owned()),
        "runtime.RawExtension" => Type::Special("RawExtension".to_owned()),
        "ListMeta" | "TableColumnDefinition" | "TableRow" | "TableRowCondition" => {
            Type::Message(go.to_owned())
        }
        _ => return Some(Type::List(Box::new(go_type(go.strip_prefix("[]")?)?))),
    };
    Some(scalar)
}
