//! The text of types.

use std::collections::BTreeSet;

use crate::model::{Body, Field, Model, Presence, Type};
use crate::names;
use crate::same::aliases;
use crate::source::{Source, literal};
use crate::ty::{Names, Ty};

/// Writes the types of a module, with the items that it imports.
pub(crate) fn write(model: &Model<'_>, has_apply: bool, out: &mut Source) {
    let types: Vec<&str> = model.types.iter().map(|ty| ty.name.as_str()).collect();
    let names = Names::new(types.iter().copied());
    let mut sorted: Vec<(&Type<'_>, Option<usize>)> = model.types.iter().zip(aliases(&model.types)).collect();
    sorted.sort_by(|(one, _), (other, _)| (&one.kind, &one.path).cmp(&(&other.kind, &other.path)));
    let text = Text { names: &names, types: &types, has_apply };
    let mut body = out.beside();
    for (at, (ty, alias)) in sorted.into_iter().enumerate() {
        if at > 0 {
            body.line("");
        }
        match alias {
            Some(of) => text.alias(ty, types[of], &mut body),
            None => text.ty(ty, &mut body),
        }
    }
    let imported = names.imported();
    imports(&imported, out);
    if !imported.is_empty() {
        out.line("");
    }
    out.append(body);
}

/// Imports items from klient, in lines that are not too long.
fn imports(items: &BTreeSet<&str>, out: &mut Source) {
    let items: Vec<&str> = items.iter().copied().collect();
    match items[..] {
        [] => {}
        [item] => out.line(&format!("use klient::{item};")),
        _ => {
            let line = format!("use klient::{{{}}};", items.join(", "));
            // rustfmt leaves room for two more characters.
            if out.fits(&format!("{line}  ")) {
                out.line(&line);
                return;
            }
            out.open("use klient::{");
            let mut line = String::new();
            for item in items {
                let longer = if line.is_empty() { format!("{item},") } else { format!("{line} {item},") };
                // A line of a list is shorter than others.
                if !out.fits(&format!("{longer} ")) {
                    out.line(&line);
                    line = format!("{item},");
                } else {
                    line = longer;
                }
            }
            out.line(&line);
            out.close("};");
        }
    }
}

/// The text of the types of a module.
struct Text<'a> {
    names: &'a Names<'a>,
    types: &'a [&'a str],
    has_apply: bool,
}

impl Text<'_> {
    /// Another name of a type that is generated for another field, and of its apply configuration.
    fn alias(&self, ty: &Type<'_>, of: &str, out: &mut Source) {
        out.comment(&ty.comment[..1]);
        out.alias(&ty.name, of);
        if self.has_apply && matches!(ty.body, Body::Struct(_)) {
            out.line("");
            out.line(&format!("/// Configuration of [`{}`] for server-side apply.", ty.name));
            out.alias(&format!("{}ApplyConfiguration", ty.name), &format!("{of}ApplyConfiguration"));
        }
    }

    fn ty(&self, ty: &Type<'_>, out: &mut Source) {
        match &ty.body {
            Body::Kind(definition, version, fields) => {
                let facts = &definition.facts;
                let scope = if facts.namespaced { "Namespaced" } else { "Cluster" };
                let subresources = [(version.has_status, "Status"), (version.has_scale, "Scale")];
                let subresources: Vec<&str> =
                    subresources.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
                out.open("klient::custom_resource! {");
                out.line(&format!(
                    "group: {}, version: {}, kind: {}, plural: {},",
                    literal(&facts.group),
                    literal(&version.name),
                    literal(&facts.kind),
                    literal(&facts.plural)
                ));
                out.line(&format!("scope: {scope}, subresources: [{}];", subresources.join(", ")));
                out.line("");
                out.comment(&ty.comment);
                if self.has_apply {
                    out.line("#[derive(PartialEq, klient::ApplyConfiguration)]");
                    out.line(&format!("#[apply(scope = {scope})]"));
                } else {
                    out.line("#[derive(PartialEq)]");
                }
                self.body(&ty.name, fields, true, out);
                out.close("}");
            }
            Body::Struct(fields) => {
                out.comment(&ty.comment);
                let apply = if self.has_apply { ", klient::ApplyConfiguration" } else { "" };
                out.attribute("derive", &[format!("Clone, Debug, Default, PartialEq{apply}")]);
                if self.has_apply {
                    out.line("#[serde(rename_all = \"camelCase\")]");
                }
                self.body(&ty.name, fields, false, out);
                out.line("");
                table(&ty.name, fields, out);
            }
            Body::Enum(variants, other) => {
                out.open("klient::string_enum! {");
                out.comment(&ty.comment);
                if self.has_apply {
                    out.line("#[derive(klient::ApplyConfiguration)]");
                }
                out.open(&format!("pub enum {} {{", ty.name));
                for (value, name) in variants {
                    out.line(&format!("{name} = {},", literal(value)));
                }
                out.line(&format!("..{other}"));
                out.close("}");
                out.close("}");
            }
        }
    }

    fn body(&self, name: &str, fields: &[Field], is_kind: bool, out: &mut Source) {
        if fields.is_empty() {
            out.line(&format!("pub struct {name} {{}}"));
            return;
        }
        out.block(&format!("pub struct {name}"));
        for field in fields {
            out.comment(&field.comment);
            self.attributes(field, is_kind, out);
            out.field(&field.name, &self.names.text(&field.ty, self.types));
        }
        out.close("}");
    }

    fn attributes(&self, field: &Field, is_kind: bool, out: &mut Source) {
        // The names of other fields are in the table.
        if is_kind || self.has_apply {
            if field.presence == Presence::Flattened {
                out.line("#[serde(flatten)]");
                return;
            }
            if names::camel(&field.name) != field.json {
                out.attribute("serde", &[format!("rename = {}", literal(&field.json))]);
            }
        }
        // A kind leaves out what is `None`.
        let is_unset = match (field.presence, &field.ty) {
            _ if !is_kind => None,
            (Presence::IfFilled, Ty::List(_)) => {
                Some(format!("{}::is_empty", self.names.of_std("Vec", "vec")))
            }
            (Presence::IfFilled, _) => Some(format!("{}::is_empty", self.names.of_klient("Map"))),
            (Presence::IfSet, _) => Some("klient::apimachinery::custom::is_default".to_owned()),
            (Presence::Always | Presence::IfSome | Presence::Flattened, _) => None,
        };
        if let Some(function) = is_unset {
            out.line(&format!("#[serde(skip_serializing_if = \"{function}\")]"));
        }
        if self.has_apply && !field.apply.is_empty() {
            out.attribute("apply", &field.apply);
        }
    }
}

/// Writes the names of a struct's fields in JSON.
fn table(name: &str, fields: &[Field], out: &mut Source) {
    out.open("klient::custom_fields! {");
    if fields.is_empty() {
        out.line(&format!("{name} {{}}"));
    } else {
        out.open(&format!("{name} {{"));
        for Field { name, json, presence, .. } in fields {
            match presence {
                Presence::Flattened => out.line(&format!("..{name}")),
                Presence::Always => out.line(&format!("required {name} = {};", literal(json))),
                Presence::IfSome | Presence::IfFilled | Presence::IfSet => {
                    out.line(&format!("optional {name} = {};", literal(json)));
                }
            }
        }
        out.close("}");
    }
    out.close("}");
}
