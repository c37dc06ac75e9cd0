//! The text of types.

use std::collections::BTreeSet;

use crate::model::{Body, Field, Model, Presence, Type};
use crate::names;
use crate::source::{Source, literal};
use crate::ty::{Names, Ty};

/// Writes the types of a module, with the items that it imports.
pub(crate) fn write(model: &Model<'_>, has_apply: bool, out: &mut Source) {
    let types: Vec<&str> = model.types.iter().map(|ty| ty.name.as_str()).collect();
    let names = Names::new(types.iter().copied());
    let mut sorted: Vec<&Type<'_>> = model.types.iter().collect();
    sorted.sort_by(|one, other| (&one.kind, &one.path).cmp(&(&other.kind, &other.path)));
    let has_structs = model.types.iter().any(|ty| matches!(ty.body, Body::Struct(_)));
    let text = Text { names: &names, types: &types, has_apply };
    let mut body = out.beside();
    for (at, ty) in sorted.into_iter().enumerate() {
        if at > 0 {
            body.line("");
        }
        text.ty(ty, &mut body);
    }
    let imported = names.imported();
    imports(&imported, out);
    let serde: Vec<&str> =
        ["Deserialize", "Serialize"].into_iter().filter(|name| names.is_free(name)).collect();
    match serde[..] {
        [one] if has_structs => out.line(&format!("use serde::{one};")),
        [one, other] if has_structs => out.line(&format!("use serde::{{{one}, {other}}};")),
        _ => {}
    }
    if has_structs || !imported.is_empty() {
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
            if out.fits(&line) {
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
                let (deserialize, serialize) = (self.serde("Deserialize"), self.serde("Serialize"));
                let apply = if self.has_apply { ", klient::ApplyConfiguration" } else { "" };
                let derives = format!("Clone, Debug, Default, PartialEq, {deserialize}, {serialize}{apply}");
                out.attribute("derive", &derives);
                out.line("#[serde(rename_all = \"camelCase\", default)]");
                self.body(&ty.name, fields, false, out);
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

    /// A derive of serde.
    fn serde(&self, name: &str) -> String {
        if self.names.is_free(name) { name.to_owned() } else { format!("serde::{name}") }
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
        if field.presence == Presence::Flattened {
            out.line("#[serde(flatten)]");
            return;
        }
        if names::camel(&field.name) != field.json {
            out.attribute("serde", &format!("rename = {}", literal(&field.json)));
        }
        let is_unset = match (field.presence, &field.ty) {
            // A kind leaves them out.
            (Presence::IfSome, _) if is_kind => None,
            (Presence::IfSome, _) => Some(format!("{}::is_none", self.names.of_std("Option", "option"))),
            (Presence::IfFilled, Ty::List(_)) => {
                Some(format!("{}::is_empty", self.names.of_std("Vec", "vec")))
            }
            (Presence::IfFilled, _) => Some(format!("{}::is_empty", self.names.of_klient("Map"))),
            (Presence::IfSet, _) => Some("klient::apimachinery::custom::is_default".to_owned()),
            (Presence::Always | Presence::Flattened, _) => None,
        };
        if let Some(function) = is_unset {
            out.line(&format!("#[serde(skip_serializing_if = \"{function}\")]"));
        }
        if self.has_apply && !field.apply.is_empty() {
            out.attribute("apply", &field.apply);
        }
    }
}
