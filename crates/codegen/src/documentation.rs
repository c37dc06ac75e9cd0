//! The documentation of generated structs and fields: their meaning, from a file of sentences, and their facts.
//!
//! ```text
//! [core/v1.ContainerPort] Port on which a container listens.
//! containerPort: Port of the pod's IP address, 1 to 65535.
//! ```
//!
//! A section is a struct, a line in it a field. The section `[*]` has the fields of every kind, for those kinds whose
//! own section does not have them.

use std::fmt::{self, Write as _};

use crate::facts::{Facts, Field, Member, Message, Package, Type};

/// The section of the fields of every kind.
const EVERY_KIND: &str = "*";

/// A line of a documentation file that cannot be read, or that is about nothing in the facts.
#[derive(Debug)]
pub struct DocumentationError {
    line: usize,
    problem: String,
}

impl fmt::Display for DocumentationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "documentation line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for DocumentationError {}

/// One line of a documentation file.
struct Sentence<'a> {
    line: usize,
    section: &'a str,
    /// The JSON name of the field; absent for the struct itself.
    field: Option<&'a str>,
    meaning: &'a str,
}

impl Facts {
    /// Adds the meaning of structs and fields from a documentation file.
    ///
    /// # Errors
    ///
    /// Names a line that cannot be read, whose struct or field does not exist, or that repeats another one.
    pub fn document(&mut self, text: &str) -> Result<(), DocumentationError> {
        let mut sentences = sentences(text)?;
        // Those of every kind come last, as they fill what the kinds' own sections leave open.
        sentences.sort_by_key(|sentence| sentence.section == EVERY_KIND);
        for sentence in sentences {
            self.add(&sentence).map_err(|problem| DocumentationError { line: sentence.line, problem })?;
        }
        Ok(())
    }

    fn add(&mut self, sentence: &Sentence<'_>) -> Result<(), String> {
        let Sentence { section, field: json, meaning, .. } = *sentence;
        match json {
            Some(json) if section == EVERY_KIND => self.document_every_kind(json, meaning),
            Some(json) => {
                let field = field(self.documented(section)?, json);
                set(&mut field.ok_or(format!("{section} has no field {json}"))?.meaning, meaning)
            }
            None => set(&mut self.documented(section)?.meaning, meaning),
        }
    }

    fn document_every_kind(&mut self, json: &str, meaning: &str) -> Result<(), String> {
        let messages = self.packages.iter_mut().flat_map(|package| &mut package.messages);
        let kinds = messages.filter(|message| message.kind && !message.list);
        let mut fields = kinds.filter_map(|kind| field(kind, json)).peekable();
        fields.peek().ok_or(format!("no kind has a field {json}"))?;
        fields.filter(|field| field.meaning.is_empty()).try_for_each(|field| set(&mut field.meaning, meaning))
    }

    fn documented(&mut self, path: &str) -> Result<&mut Message, String> {
        let found = path.split_once('.').and_then(|(module, name)| {
            let package = self.packages.iter_mut().find(|package| package.module == module)?;
            package.messages.iter_mut().find(|message| message.name == name)
        });
        found.ok_or(format!("there is no struct {path:?}"))
    }
}

fn sentences(text: &str) -> Result<Vec<Sentence<'_>>, DocumentationError> {
    let mut section = "";
    let mut sentences = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let problem = |problem: &str| DocumentationError { line, problem: problem.to_owned() };
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (field, meaning) = if let Some(text) = text.strip_prefix('[') {
            let (name, meaning) = text.split_once(']').ok_or_else(|| problem("`]` is missing"))?;
            section = name;
            if section == EVERY_KIND {
                continue;
            }
            (None, meaning)
        } else {
            let (json, meaning) =
                text.split_once(':').ok_or_else(|| problem("the line is no `field: meaning`"))?;
            (Some(json), meaning)
        };
        sentences.push(Sentence { line, section, field, meaning });
    }
    Ok(sentences)
}

fn field<'a>(message: &'a mut Message, json: &str) -> Option<&'a mut Field> {
    message.members.iter_mut().find_map(|member| match member {
        Member::Field(field) if field.json == json => Some(field),
        _ => None,
    })
}

fn set(slot: &mut String, meaning: &str) -> Result<(), String> {
    let meaning = meaning.trim();
    if !meaning.ends_with('.') {
        return Err("the meaning is no sentence that ends in a full stop".to_owned());
    }
    if !slot.is_empty() {
        return Err(format!("the meaning is there already: {slot}"));
    }
    *slot = meaning.to_owned();
    Ok(())
}

/// The doc comment of a struct: its meaning, its name and, for a kind that is served, the page about it.
pub(crate) fn of_struct(facts: &Facts, package: &Package, message: &Message) -> String {
    let mut out = format!("`{}` of {}", message.name, package.api_version());
    if message.atomic {
        out.push_str("; server-side apply replaces it as a whole");
    }
    out.push('.');
    if package.resources.iter().any(|resource| resource.kind == message.name && resource.served) {
        write!(out, " [API reference]({})", reference(facts, package, &message.name)).expect("String");
    }
    comment("", &message.meaning, &out)
}

/// The place of a kind in the API reference of its Kubernetes minor.
fn reference(facts: &Facts, package: &Package, kind: &str) -> String {
    let minor = facts.kubernetes.rsplit_once('.').map_or("", |(minor, _patch)| minor);
    let group = if package.group.is_empty() { "core".to_owned() } else { package.group.replace('.', "-") };
    format!(
        "https://kubernetes.io/docs/reference/generated/kubernetes-api/{minor}/#{}-{}-{group}",
        kind.to_lowercase(),
        package.version()
    )
}

/// The doc comment of a field, each line after `indent`: its meaning and its facts.
pub(crate) fn of_field(indent: &str, field: &Field) -> String {
    let mut out = format!("`{}`", field.json);
    if !field.values.is_empty() {
        let values: Vec<String> = field
            .values
            .iter()
            .map(|value| if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") })
            .collect();
        write!(out, ": {}", values.join(", ")).expect("String");
    }
    for note in notes(field) {
        write!(out, "; {note}").expect("String");
    }
    out.push('.');
    comment(indent, &field.meaning, &out)
}

fn notes(field: &Field) -> Vec<String> {
    let mut notes = Vec::new();
    if field.required {
        notes.push("required".to_owned());
    }
    if field.one_of {
        notes.push("one of a union".to_owned());
    }
    if !field.default.is_empty() {
        notes.push(format!("default `{}`", field.default));
    }
    match (field.list.split_once(':'), field.list.as_str()) {
        (Some((_, keys)), _) => notes.push(format!("list keyed by `{}`", keys.replace(',', "`, `"))),
        (None, "") => {}
        (None, kind) => notes.push(if kind == "atomic" { "atomic list".to_owned() } else { kind.to_owned() }),
    }
    if field.map == "atomic" {
        notes.push("atomic".to_owned());
    }
    notes.extend(format_of(&field.ty).map(str::to_owned));
    notes
}

/// The format in JSON of what is no plain JSON value.
fn format_of(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Bytes => Some("base64 in JSON"),
        Type::Special(name) => match name.as_str() {
            "Time" => Some("RFC 3339, in seconds"),
            "MicroTime" => Some("RFC 3339, in microseconds"),
            "Quantity" => Some("quantity such as `500m` or `1Gi`"),
            "IntOrString" => Some("integer or string"),
            _ => None,
        },
        Type::List(item) | Type::Map(item) => format_of(item),
        _ => None,
    }
}

fn comment(indent: &str, meaning: &str, facts: &str) -> String {
    let meaning =
        if meaning.is_empty() { String::new() } else { format!("{indent}/// {meaning}\n{indent}///\n") };
    format!("{meaning}{indent}/// {facts}\n")
}

#[cfg(test)]
mod tests;
