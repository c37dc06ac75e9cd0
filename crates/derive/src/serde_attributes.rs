//! The attributes of serde by which the JSON of a struct differs from its fields. What serde refuses is left to it.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprPath, Ident, Lit, LitStr, Meta, Token};

/// The attributes of a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    rename_all: Option<String>,
    /// The JSON is that of the one field.
    pub(crate) is_transparent: bool,
    /// The JSON is that of another type.
    pub(crate) is_converted: bool,
    /// The variants of an enum are no plain strings.
    pub(crate) is_tagged: bool,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct Field {
    rename: Option<String>,
    pub(crate) is_skipped: bool,
    pub(crate) is_flattened: bool,
    /// The function that writes the value.
    pub(crate) serialize_with: Option<ExprPath>,
}

/// The parts of all attributes with a name, such as `#[serde(…)]`.
pub(crate) fn parts(attributes: &[Attribute], name: &str) -> impl Iterator<Item = Meta> {
    let attributes = attributes.iter().filter(move |attribute| attribute.path().is_ident(name));
    let parts = attributes.filter_map(|attribute| {
        attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()
    });
    parts.flatten()
}

/// The text of `name = "…"`, or of `name(serialize = "…")`.
fn text(part: &Meta) -> Option<LitStr> {
    match part {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        },
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
            parts.iter().find(|part| part.path().is_ident("serialize")).and_then(text)
        }
        Meta::Path(_) => None,
    }
}

/// The path in `name = "path"`.
pub(crate) fn path(part: &Meta) -> Option<ExprPath> {
    text(part).and_then(|text| text.parse().ok())
}

fn name(part: &Meta) -> String {
    part.path().get_ident().map(Ident::to_string).unwrap_or_default()
}

impl Container {
    pub(crate) fn parse(attributes: &[Attribute]) -> Self {
        let mut container = Container::default();
        for part in parts(attributes, "serde") {
            match name(&part).as_str() {
                "rename_all" => container.rename_all = text(&part).map(|text| text.value()),
                "transparent" => container.is_transparent = true,
                "into" => container.is_converted = true,
                "tag" | "untagged" => container.is_tagged = true,
                _ => {}
            }
        }
        container
    }

    /// The name of a field in JSON.
    pub(crate) fn json_name(&self, field: &Field, ident: &Ident) -> String {
        if let Some(name) = &field.rename {
            return name.clone();
        }
        let ident = ident.to_string();
        let ident = ident.strip_prefix("r#").unwrap_or(&ident);
        renamed(ident, self.rename_all.as_deref().unwrap_or_default())
    }
}

/// The name of a field by one of serde's rules.
fn renamed(field: &str, rule: &str) -> String {
    let capitalized = || {
        field.split('_').fold(String::new(), |mut name, word| {
            let mut characters = word.chars();
            name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
            name.push_str(characters.as_str());
            name
        })
    };
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "PascalCase" => capitalized(),
        "camelCase" => {
            let name = capitalized();
            let mut characters = name.chars();
            let first = characters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(characters).collect()
        }
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
}

impl Field {
    pub(crate) fn parse(attributes: &[Attribute]) -> Self {
        let mut field = Field::default();
        for part in parts(attributes, "serde") {
            match name(&part).as_str() {
                "rename" => field.rename = text(&part).map(|text| text.value()).or(field.rename.take()),
                "skip" | "skip_serializing" => field.is_skipped = true,
                "flatten" => field.is_flattened = true,
                "serialize_with" => field.serialize_with = path(&part),
                "with" => {
                    field.serialize_with = path(&part).map(|mut path| {
                        path.path
                            .segments
                            .push(Ident::new("serialize", proc_macro2::Span::call_site()).into());
                        path
                    });
                }
                _ => {}
            }
        }
        field
    }
}
