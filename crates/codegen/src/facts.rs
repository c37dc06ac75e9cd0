//! The facts file: its model, its text form, and its parser.
//!
//! Each line has one fact, so that the difference between two Kubernetes minors is readable:
//!
//! ```text
//! kubernetes v1.37.0
//! scheme v1 apps/v1 apps/v1beta1
//! package core/v1 k8s.io.api.core.v1 group= served
//! message Container
//!   name string 1 req
//!   ports []ContainerPort 6 omit list=map:containerPort,protocol patch=merge:containerPort
//!   livenessProbe Probe 10 ptr omit
//! message Volume
//!   name string 1 req
//!   embed VolumeSource 2
//! resource pods Pod pod namespaced verbs=create,delete,get,list short=po categories=all
//!   sub status Pod verbs=get,patch,update
//!   column 0 string name Name
//! ```

use std::fmt::{self, Write as _};

/// Everything known of one Kubernetes minor's API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The version the facts were taken from, such as `v1.37.0`.
    pub kubernetes: String,
    /// The group-versions of upstream's scheme, whether served or not, as in `apiVersion`. Each has its own
    /// `DeleteOptions` and `WatchEvent`.
    pub scheme: Vec<String>,
    /// Group-versions, in the order discovery lists them.
    pub packages: Vec<Package>,
}

/// One Go package: one group-version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// Module path, such as `core/v1`.
    pub module: String,
    /// The protobuf package, such as `k8s.io.api.core.v1`.
    pub proto: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// A server with default settings serves it.
    pub served: bool,
    /// Structs, sorted by name.
    pub messages: Vec<Message>,
    /// Resources, in the order discovery lists them.
    pub resources: Vec<Resource>,
}

impl Package {
    /// The version part of the group-version.
    pub fn version(&self) -> &str {
        self.module.split_once('/').map_or("", |(_, version)| version)
    }

    /// `v1` or `apps/v1`, as in `apiVersion`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version().to_owned()
        } else {
            format!("{}/{}", self.group, self.version())
        }
    }
}

/// A struct of the API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Go's name, such as `HTTPGetAction`.
    pub name: String,
    /// The struct has `apiVersion` and `kind`.
    pub kind: bool,
    /// The struct is the list of another kind.
    pub list: bool,
    /// Server-side apply treats the struct as one value, unless a field of this type has its own map type.
    pub atomic: bool,
    /// `DISCRIMINATOR:FIELD,FIELD` of a union that OpenAPI declares, the discriminator may be empty.
    pub union: String,
    /// A sentence of documentation; no part of the facts file, see [`Facts::document`].
    pub meaning: String,
    /// Fields and embedded structs, in Go's order.
    pub members: Vec<Member>,
}

/// A field, or a struct whose fields JSON shows in place and protobuf nests.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    /// A field.
    Field(Field),
    /// An embedded struct.
    Embed {
        /// The embedded struct, named as in [`Type::Message`].
        message: String,
        /// Its protobuf number.
        number: u32,
    },
}

/// A field of a struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// The JSON name.
    pub json: String,
    /// The type.
    pub ty: Type,
    /// The protobuf number; 0 where there is none.
    pub number: u32,
    /// Go holds a pointer, so zero is a value of its own.
    pub pointer: bool,
    /// Go leaves it out of JSON when empty.
    pub omit_empty: bool,
    /// OpenAPI requires it.
    pub required: bool,
    /// List type: `atomic`, `set` or `map:KEY,KEY`; empty if the API defines none.
    pub list: String,
    /// Map or struct type: `atomic` or `granular`; empty if the API defines none.
    pub map: String,
    /// `STRATEGY:KEY` of strategic merge patch, either part may be empty.
    pub patch: String,
    /// The default, as JSON.
    pub default: String,
    /// The allowed values of a string, or of the strings in a list or map.
    pub values: Vec<String>,
    /// Member of a union of which one may be set.
    pub one_of: bool,
    /// A sentence of documentation; no part of the facts file, see [`Facts::document`].
    pub meaning: String,
}

/// Type of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Text.
    #[default]
    String,
    /// A boolean.
    Bool,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// A floating-point number.
    Double,
    /// Bytes; base64 in JSON.
    Bytes,
    /// A type with a form of its own, hand-written in klient: `Time`, `Quantity`, `FieldsV1` …
    Special(String),
    /// A struct: `Probe` of the same package, `core/v1.Probe` of another.
    Message(String),
    /// A list.
    List(Box<Type>),
    /// A map with string keys.
    Map(Box<Type>),
}

/// A resource of a group-version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// The plural, as in URLs.
    pub plural: String,
    /// The kind.
    pub kind: String,
    /// The singular.
    pub singular: String,
    /// The resource is namespaced.
    pub namespaced: bool,
    /// A server with default settings serves it.
    pub served: bool,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
    /// Short names.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Discovery's hash of the storage version.
    pub storage_hash: String,
    /// An update may leave out the resourceVersion.
    pub unconditional_update: bool,
    /// An update of what does not exist creates it.
    pub create_on_update: bool,
    /// A delete answers with the object instead of a Status.
    pub returns_deleted: bool,
    /// `metadata.generation` counts changes.
    pub generation: bool,
    /// Subresources.
    pub subresources: Vec<Subresource>,
    /// Columns of its Table.
    pub columns: Vec<Column>,
}

/// A subresource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subresource {
    /// Its name, such as `status`.
    pub name: String,
    /// The kind it takes and gives, with a group-version in front where it is not the resource's own.
    pub kind: String,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
}

/// A column of a resource's Table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// 0 always, 1 only in wide output.
    pub priority: u8,
    /// `string`, `integer`, `date` …
    pub ty: String,
    /// `name` or empty.
    pub format: String,
    /// The heading.
    pub name: String,
}

/// A line of a facts file that cannot be read.
#[derive(Debug)]
pub struct ParseError {
    line: usize,
    problem: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "facts line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for ParseError {}

impl Facts {
    /// Reads a facts file.
    ///
    /// # Errors
    ///
    /// Names the first line that does not follow the form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut facts = Facts::default();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            facts.line(line).map_err(|problem| ParseError { line: index + 1, problem })?;
        }
        Ok(facts)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let nested = line.starts_with("  ");
        let mut words = line.split_ascii_whitespace();
        let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
        let head = word("a keyword")?;
        match (nested, head) {
            (false, "kubernetes") => self.kubernetes = word("a version")?.to_owned(),
            (false, "scheme") => self.scheme = words.map(str::to_owned).collect(),
            (false, "package") => {
                let mut package = Package {
                    module: word("a module")?.into(),
                    proto: word("a package")?.into(),
                    ..Default::default()
                };
                for flag in words {
                    match flag.split_once('=') {
                        Some(("group", group)) => package.group = group.to_owned(),
                        None if flag == "served" => package.served = true,
                        _ => return Err(format!("unknown flag {flag}")),
                    }
                }
                self.packages.push(package);
            }
            (false, "message") => {
                let mut message = Message { name: word("a name")?.into(), ..Default::default() };
                for flag in words {
                    match flag.split_once('=') {
                        Some(("union", union)) => message.union = union.to_owned(),
                        None if flag == "kind" => message.kind = true,
                        None if flag == "list" => message.list = true,
                        None if flag == "atomic" => message.atomic = true,
                        _ => return Err(format!("unknown flag {flag}")),
                    }
                }
                self.package()?.messages.push(message);
            }
            (false, "resource") => {
                let resource = Resource::read(words)?;
                self.package()?.resources.push(resource);
            }
            (true, "embed") => {
                let message = word("a message")?.to_owned();
                let number = number(word("a number")?)?;
                self.message()?.members.push(Member::Embed { message, number });
            }
            (true, "sub") => {
                let mut sub = Subresource {
                    name: word("a name")?.into(),
                    kind: word("a kind")?.into(),
                    ..Default::default()
                };
                for flag in words {
                    match flag.split_once('=') {
                        Some(("verbs", verbs)) => sub.verbs = list(verbs),
                        _ => return Err(format!("unknown flag {flag}")),
                    }
                }
                self.resource()?.subresources.push(sub);
            }
            (true, "column") => {
                let priority = number(word("a priority")?)? as u8;
                let ty = word("a type")?.to_owned();
                let format = word("a format")?.trim_matches('-').to_owned();
                let name = words.collect::<Vec<_>>().join(" ");
                self.resource()?.columns.push(Column { priority, ty, format, name });
            }
            (true, json) => {
                let field = Field::read(json, words)?;
                self.message()?.members.push(Member::Field(field));
            }
            (false, other) => return Err(format!("unknown keyword {other}")),
        }
        Ok(())
    }

    fn package(&mut self) -> Result<&mut Package, String> {
        self.packages.last_mut().ok_or_else(|| "no package before this line".to_owned())
    }

    fn message(&mut self) -> Result<&mut Message, String> {
        self.package()?.messages.last_mut().ok_or_else(|| "no message before this line".to_owned())
    }

    fn resource(&mut self) -> Result<&mut Resource, String> {
        self.package()?.resources.last_mut().ok_or_else(|| "no resource before this line".to_owned())
    }
}

impl Resource {
    fn read<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
        let mut resource = Resource {
            plural: word("a plural")?.into(),
            kind: word("a kind")?.into(),
            singular: word("a singular")?.into(),
            namespaced: word("a scope")? == "namespaced",
            ..Default::default()
        };
        for flag in words {
            match flag.split_once('=') {
                Some(("verbs", verbs)) => resource.verbs = list(verbs),
                Some(("short", names)) => resource.short_names = list(names),
                Some(("categories", names)) => resource.categories = list(names),
                Some(("hash", hash)) => resource.storage_hash = hash.to_owned(),
                None if flag == "served" => resource.served = true,
                None if flag == "unconditional-update" => resource.unconditional_update = true,
                None if flag == "create-on-update" => resource.create_on_update = true,
                None if flag == "returns-deleted" => resource.returns_deleted = true,
                None if flag == "generation" => resource.generation = true,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        Ok(resource)
    }
}

impl Field {
    fn read<'a>(json: &str, mut words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
        let mut field = Field {
            json: json.to_owned(),
            ty: Type::parse(word("a type")?),
            number: number(word("a number")?)?,
            ..Default::default()
        };
        for flag in words {
            match flag.split_once('=') {
                Some(("list", list)) => field.list = list.to_owned(),
                Some(("map", map)) => field.map = map.to_owned(),
                Some(("patch", patch)) => field.patch = patch.to_owned(),
                Some(("default", default)) => field.default = default.to_owned(),
                Some(("values", values)) => {
                    field.values = values.split(',').map(|value| value.replace("%20", " ")).collect();
                }
                None if flag == "ptr" => field.pointer = true,
                None if flag == "omit" => field.omit_empty = true,
                None if flag == "req" => field.required = true,
                None if flag == "oneof" => field.one_of = true,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        Ok(field)
    }
}

const SPECIAL: [&str; 12] = [
    "Time",
    "MicroTime",
    "Duration",
    "Quantity",
    "IntOrString",
    "RawExtension",
    "FieldsV1",
    "JSON",
    "StringList",
    "JSONSchemaPropsOrArray",
    "JSONSchemaPropsOrBool",
    "JSONSchemaPropsOrStringArray",
];

impl Type {
    /// Reads a type word, such as `[]ContainerPort`.
    pub fn parse(word: &str) -> Self {
        if let Some(item) = word.strip_prefix("[]") {
            return Type::List(Box::new(Type::parse(item)));
        }
        if let Some(value) = word.strip_prefix("map:") {
            return Type::Map(Box::new(Type::parse(value)));
        }
        match word {
            "string" => Type::String,
            "bool" => Type::Bool,
            "int32" => Type::Int32,
            "int64" => Type::Int64,
            "double" => Type::Double,
            "bytes" => Type::Bytes,
            _ if SPECIAL.contains(&word) => Type::Special(word.to_owned()),
            _ => Type::Message(word.to_owned()),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::String => f.write_str("string"),
            Type::Bool => f.write_str("bool"),
            Type::Int32 => f.write_str("int32"),
            Type::Int64 => f.write_str("int64"),
            Type::Double => f.write_str("double"),
            Type::Bytes => f.write_str("bytes"),
            Type::Special(name) | Type::Message(name) => f.write_str(name),
            Type::List(item) => write!(f, "[]{item}"),
            Type::Map(value) => write!(f, "map:{value}"),
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Made by cargo xtask facts; do not edit.")?;
        writeln!(f, "kubernetes {}", self.kubernetes)?;
        writeln!(f, "scheme {}", self.scheme.join(" "))?;
        for package in &self.packages {
            let served = if package.served { " served" } else { "" };
            writeln!(f, "\npackage {} {} group={}{served}", package.module, package.proto, package.group)?;
            for message in &package.messages {
                let kind = if message.kind { " kind" } else { "" };
                let list = if message.list { " list" } else { "" };
                let atomic = if message.atomic { " atomic" } else { "" };
                write!(f, "message {}{kind}{list}{atomic}", message.name)?;
                if !message.union.is_empty() {
                    write!(f, " union={}", message.union)?;
                }
                writeln!(f)?;
                for member in &message.members {
                    match member {
                        Member::Embed { message, number } => writeln!(f, "  embed {message} {number}")?,
                        Member::Field(field) => writeln!(f, "  {field}")?,
                    }
                }
            }
            for resource in &package.resources {
                write!(f, "{resource}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{} {} {}", self.json, self.ty, self.number);
        for (set, flag) in
            [(self.pointer, "ptr"), (self.omit_empty, "omit"), (self.required, "req"), (self.one_of, "oneof")]
        {
            if set {
                line.push(' ');
                line.push_str(flag);
            }
        }
        let values = self.values.join(",").replace(' ', "%20");
        for (key, value) in [
            ("list", &self.list),
            ("map", &self.map),
            ("patch", &self.patch),
            ("default", &self.default),
            ("values", &values),
        ] {
            if !value.is_empty() {
                write!(line, " {key}={value}")?;
            }
        }
        f.write_str(&line)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.namespaced { "namespaced" } else { "cluster" };
        write!(f, "resource {} {} {} {scope}", self.plural, self.kind, self.singular)?;
        for (set, flag) in [
            (self.served, "served"),
            (self.unconditional_update, "unconditional-update"),
            (self.create_on_update, "create-on-update"),
            (self.returns_deleted, "returns-deleted"),
            (self.generation, "generation"),
        ] {
            if set {
                write!(f, " {flag}")?;
            }
        }
        for (key, value) in [
            ("verbs", self.verbs.join(",")),
            ("short", self.short_names.join(",")),
            ("categories", self.categories.join(",")),
            ("hash", self.storage_hash.clone()),
        ] {
            if !value.is_empty() {
                write!(f, " {key}={value}")?;
            }
        }
        writeln!(f)?;
        for sub in &self.subresources {
            writeln!(f, "  sub {} {} verbs={}", sub.name, sub.kind, sub.verbs.join(","))?;
        }
        for column in &self.columns {
            let format = if column.format.is_empty() { "-" } else { &column.format };
            writeln!(f, "  column {} {} {format} {}", column.priority, column.ty, column.name)?;
        }
        Ok(())
    }
}

fn number(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("{word} is not a number"))
}

fn list(words: &str) -> Vec<String> {
    words.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
