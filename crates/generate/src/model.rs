//! [`Model`], the types of a group and version.

use std::collections::BTreeSet;

use crate::definition::{Definition, Version};
use crate::documentation::{code, description, paragraphs, validation};
use crate::error::Error;
use crate::names;
use crate::schema::{Schema, below};
use crate::shapes;
use crate::ty::Ty;
use crate::type_names::TypeNames;

/// The pattern of quantities, as generators of definitions write it.
const QUANTITY: &str = klient_apimachinery::Quantity::PATTERN;

/// The types of a group and version. A [`Ty`] names them by their position.
pub(crate) struct Model<'a> {
    pub(crate) types: Vec<Type<'a>>,
}

/// A type to generate.
pub(crate) struct Type<'a> {
    pub(crate) name: String,
    /// The kind that it is a part of, as a type.
    pub(crate) kind: String,
    /// The path of the field; empty for a kind.
    pub(crate) path: String,
    pub(crate) comment: Vec<String>,
    pub(crate) body: Body<'a>,
}

pub(crate) enum Body<'a> {
    Kind(&'a Definition, &'a Version, Vec<Field>),
    Struct(Vec<Field>),
    /// Values with the names of their variants, and the name of the variant for others.
    Enum(Vec<(String, String)>, String),
}

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) json: String,
    pub(crate) ty: Ty,
    pub(crate) presence: Presence,
    pub(crate) comment: Vec<String>,
    /// The arguments of `#[apply(…)]`; empty if it is needless.
    pub(crate) apply: Vec<String>,
}

/// The cases in which a field is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Presence {
    Always,
    IfSome,
    /// A list or map that is not empty.
    IfFilled,
    /// A struct in which something is set.
    IfSet,
    /// The fields of a map are fields of the struct.
    Flattened,
}

/// A schema whose type has no name yet.
struct Pending<'a> {
    at: usize,
    schema: Schema<'a>,
    definition: &'a Definition,
    /// The type that has the field.
    parent: usize,
    field: String,
    is_item: bool,
}

/// The place of a schema.
#[derive(Clone, Copy)]
struct Place<'a, 'p> {
    definition: &'a Definition,
    parent: usize,
    field: &'p str,
    path: &'p str,
    is_item: bool,
}

impl<'a> Model<'a> {
    /// Makes the types of kinds with their versions.
    ///
    /// # Errors
    ///
    /// If a schema has no type in Rust, with the definition and the field.
    pub(crate) fn new(kinds: impl IntoIterator<Item = (&'a Definition, &'a Version)>) -> Result<Self, Error> {
        let mut model = Model { types: Vec::new() };
        let mut names = TypeNames::default();
        let mut level = Vec::new();
        for (definition, version) in kinds {
            let name = names.of_kind(definition.kind());
            let schema = Schema::new(&version.schema);
            let deprecated = version.deprecation.as_ref().map(|warning| {
                let warning = if warning.is_empty() { "another version replaces this one" } else { warning };
                description(&format!("Deprecated: {warning}"))
            });
            let mut about = description(schema.text("description"));
            if about.is_empty() {
                about.push(format!("An object of {}.", code(definition.name())));
            }
            let comment = [Some(about), Some(validation(schema, false)), deprecated].into_iter().flatten();
            let at = model.types.len();
            model.types.push(Type {
                kind: name.clone(),
                name,
                path: String::new(),
                comment: paragraphs(comment),
                body: Body::Kind(definition, version, Vec::new()),
            });
            level.push(Pending { at, schema, definition, parent: at, field: String::new(), is_item: false });
        }
        // A level at a time, so that the name of a type depends on names nearer to the kind, and not on those below.
        while !level.is_empty() {
            let mut next = Vec::new();
            for pending in &level {
                let fields = model.fields(pending, &mut next).map_err(|error| {
                    let definition = pending.definition;
                    error.within(format!("definition {}", definition.name())).within(&definition.source)
                })?;
                match &mut model.types[pending.at].body {
                    Body::Kind(_, _, empty) | Body::Struct(empty) => *empty = fields,
                    Body::Enum(..) => {}
                }
            }
            let key =
                |pending: &Pending<'_>| (pending.is_item, model.types[pending.at].path.clone(), pending.at);
            next.sort_by_cached_key(key);
            for pending in &next {
                let parent = model.types[pending.parent].name.clone();
                model.types[pending.at].name = names.of_field(&parent, &pending.field, pending.is_item);
            }
            level = next;
        }
        Ok(model)
    }

    /// The fields of a struct or kind. Types of fields are added without their names.
    fn fields(&mut self, of: &Pending<'a>, next: &mut Vec<Pending<'a>>) -> Result<Vec<Field>, Error> {
        let path = self.types[of.at].path.clone();
        let is_kind = matches!(self.types[of.at].body, Body::Kind(..));
        if matches!(self.types[of.at].body, Body::Enum(..)) {
            return Ok(Vec::new());
        }
        let mut properties = of.schema.properties(&path)?;
        let required = of.schema.required();
        let mut taken = BTreeSet::new();
        if is_kind {
            properties.retain(|(json, _)| !matches!(*json, "apiVersion" | "kind" | "metadata"));
            taken.extend(["metadata".to_owned(), "received".to_owned()]);
        }
        // A name that serde makes from the field's is nearest to it.
        let is_exact = |json: &str| names::camel(&names::field(json)) == json;
        properties.sort_by_key(|(json, _)| !is_exact(json));
        let mut fields = Vec::new();
        for (json, schema) in properties {
            let name = free(names::field(json), &mut taken);
            let path = below(&path, json);
            let place =
                Place { definition: of.definition, parent: of.at, field: json, path: &path, is_item: false };
            fields.push(self.field(name, schema, required.contains(json), place, next)?);
        }
        fields.sort_by(|one, other| one.json.cmp(&other.json));
        if is_kind && of.schema.preserves_unknown() {
            for (json, about) in [("spec", "Desired state."), ("status", "Observed state.")] {
                if fields.iter().all(|field| field.name != json) {
                    fields.push(Field {
                        name: free(json.to_owned(), &mut taken),
                        json: json.to_owned(),
                        ty: Ty::Value.optional(),
                        presence: Presence::IfSome,
                        comment: vec![format!("{about} The definition does not say what is in it.")],
                        apply: Vec::new(),
                    });
                }
            }
        } else if of.schema.preserves_unknown() {
            fields.push(Field {
                name: free("other_fields".to_owned(), &mut taken),
                json: String::new(),
                ty: Ty::Map(Box::new(Ty::Value)),
                presence: Presence::Flattened,
                comment: vec!["Fields that the definition allows without a schema.".to_owned()],
                apply: Vec::new(),
            });
        }
        Ok(fields)
    }

    fn field(
        &mut self,
        name: String,
        schema: Schema<'a>,
        is_required: bool,
        place: Place<'a, '_>,
        next: &mut Vec<Pending<'a>>,
    ) -> Result<Field, Error> {
        let json = place.field;
        let plain = self.ty(schema, place, next)?;
        let apply = apply(schema, &plain);
        let is_kind = matches!(self.types[place.parent].body, Body::Kind(..));
        let is_always = is_required && !schema.has("nullable");
        let absent = if is_required { Presence::Always } else { Presence::IfSome };
        let (ty, presence) = match plain {
            _ if is_always => (plain, Presence::Always),
            Ty::Struct(_) if is_kind && json == "spec" => (plain, Presence::IfSet),
            Ty::List(_) | Ty::Map(_) if !schema.has("nullable") => (plain, Presence::IfFilled),
            _ if is_kind => (plain.optional(), absent),
            _ if plain.is_struct() => (Ty::Boxed(Box::new(plain)).optional(), absent),
            _ => (plain.optional(), absent),
        };
        let mut parts = vec![description(schema.text("description")), validation(schema, is_required)];
        parts.extend(each(schema, place.path)?);
        Ok(Field { name, json: json.to_owned(), ty, presence, comment: paragraphs(parts), apply })
    }

    fn ty(
        &mut self,
        schema: Schema<'a>,
        place: Place<'a, '_>,
        next: &mut Vec<Pending<'a>>,
    ) -> Result<Ty, Error> {
        if schema.has("x-kubernetes-int-or-string") {
            return Ok(match schema.text("pattern") == QUANTITY || schema.text("format") == "quantity" {
                true => Ty::Quantity,
                false => Ty::IntOrString,
            });
        }
        let item = Place { is_item: true, ..place };
        Ok(match schema.ty(place.path)? {
            "boolean" => Ty::Bool,
            "integer" if schema.text("format") == "int32" => Ty::I32,
            "integer" => Ty::I64,
            "number" => Ty::F64,
            "string" => self.string(schema, place, next),
            "array" => {
                let path = format!("{}[]", place.path);
                let items = schema.items(place.path)?;
                let items = items
                    .map(|items| self.nullable(items, Place { path: &path, ..item }, next))
                    .transpose()?;
                Ty::List(Box::new(items.unwrap_or(Ty::Value)))
            }
            "object" => {
                let has_fields = !schema.properties(place.path)?.is_empty();
                let path = format!("{}.*", place.path);
                match schema.values(place.path)? {
                    Some(values) if !has_fields => {
                        let values = self.nullable(values, Place { path: &path, ..item }, next)?;
                        Ty::Map(Box::new(values))
                    }
                    _ if !has_fields && schema.preserves_unknown() => Ty::Value,
                    _ => match shapes::known(schema, place.field, place.path)? {
                        Some(known) => known,
                        None => Ty::Struct(self.add(Body::Struct(Vec::new()), schema, place, next)),
                    },
                }
            }
            _ => Ty::Value,
        })
    }

    /// The type of an item, which may be null.
    fn nullable(
        &mut self,
        schema: Schema<'a>,
        place: Place<'a, '_>,
        next: &mut Vec<Pending<'a>>,
    ) -> Result<Ty, Error> {
        let ty = self.ty(schema, place, next)?;
        Ok(if schema.has("nullable") && ty != Ty::Value { ty.optional() } else { ty })
    }

    fn string(&mut self, schema: Schema<'a>, place: Place<'a, '_>, next: &mut Vec<Pending<'a>>) -> Ty {
        let values = schema.texts("enum");
        if !values.is_empty() {
            let mut taken = BTreeSet::new();
            // A name that is the value itself is nearest to it.
            let mut sorted = values.clone();
            sorted.sort_by_key(|value| (names::variant(value) != *value, *value));
            sorted.dedup();
            let mut variants: Vec<(&str, String)> =
                sorted.into_iter().map(|value| (value, free(names::variant(value), &mut taken))).collect();
            variants.sort_by_key(|(value, _)| values.iter().position(|other| other == value));
            let other = if taken.contains("Other") { "OtherValue" } else { "Other" };
            let other = free(other.to_owned(), &mut taken);
            let variants = variants.into_iter().map(|(value, name)| (value.to_owned(), name)).collect();
            return Ty::Enum(self.add(Body::Enum(variants, other), schema, place, next));
        }
        match schema.text("format") {
            "date-time" => Ty::Time,
            "byte" => Ty::ByteString,
            _ => Ty::Str,
        }
    }

    /// Adds a type, whose name comes later.
    fn add(
        &mut self,
        body: Body<'a>,
        schema: Schema<'a>,
        place: Place<'a, '_>,
        next: &mut Vec<Pending<'a>>,
    ) -> usize {
        let at = self.types.len();
        let kind = self.types[place.parent].kind.clone();
        let mut comment = vec![vec![format!("{} of [`{kind}`].", code(place.path))]];
        // The field has those of others.
        if place.is_item {
            comment.push(description(schema.text("description")));
            comment.push(validation(schema, false));
        }
        self.types.push(Type {
            name: String::new(),
            kind,
            path: place.path.to_owned(),
            comment: paragraphs(comment),
            body,
        });
        next.push(Pending {
            at,
            schema,
            definition: place.definition,
            parent: place.parent,
            field: place.field.to_owned(),
            is_item: place.is_item,
        });
        at
    }
}

/// Takes a name, with something behind it if it is taken.
fn free(name: String, taken: &mut BTreeSet<String>) -> String {
    let candidates = [name.clone(), format!("{name}_")];
    let free = names::first_free(candidates, &name, |candidate| !taken.contains(candidate));
    taken.insert(free.clone());
    free
}

/// The limits of the scalars in a list or map.
fn each(schema: Schema<'_>, path: &str) -> Result<Option<Vec<String>>, Error> {
    let Some(items) = schema.items(path)?.or(schema.values(path)?) else { return Ok(None) };
    if matches!(items.text("type"), "object" | "array" | "") || items.get("enum").is_some() {
        return Ok(None);
    }
    let mut lines = validation(items, false);
    if let Some(first) = lines.first_mut() {
        *first = if first.is_empty() { "Each:".to_owned() } else { format!("Each: {first}") };
    }
    Ok(Some(lines))
}

/// The merge rules of a field, for apply configurations.
fn apply(schema: Schema<'_>, ty: &Ty) -> Vec<String> {
    let map_type = schema.text("x-kubernetes-map-type");
    match (ty, schema.text("x-kubernetes-list-type")) {
        (Ty::ObjectMeta, _) => vec!["value".to_owned()],
        (Ty::List(item), _) if **item == Ty::ObjectMeta => vec!["value".to_owned()],
        (Ty::List(_), "map") => {
            let keys = schema.texts("x-kubernetes-list-map-keys");
            let keys = keys.into_iter().map(crate::source::literal).collect::<Vec<_>>().join(", ");
            vec!["list_type = \"map\"".to_owned(), format!("list_map_keys({keys})")]
        }
        (Ty::List(_), "set") => vec!["list_type = \"set\"".to_owned()],
        (Ty::Map(_), _) if map_type == "atomic" => vec!["map_type = \"atomic\"".to_owned()],
        (ty, _) if ty.is_struct() && map_type == "atomic" => vec!["struct_type = \"atomic\"".to_owned()],
        _ => Vec::new(),
    }
}
