//! The attribute `#[resource(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
use syn::spanned::Spanned as _;
use syn::{Attribute, Ident, LitBool, LitInt, LitStr, Path, Token, Type};

use crate::name;

/// The parts of all attributes `#[resource(…)]` of a struct.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) group: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
    pub(crate) kind: Option<LitStr>,
    pub(crate) plural: Option<LitStr>,
    pub(crate) singular: Option<LitStr>,
    pub(crate) short_names: Vec<LitStr>,
    pub(crate) categories: Vec<LitStr>,
    /// Keys and values.
    pub(crate) labels: Vec<(LitStr, LitStr)>,
    pub(crate) annotations: Vec<(LitStr, LitStr)>,
    pub(crate) scope: Option<Ident>,
    pub(crate) status: Option<Type>,
    pub(crate) scale: Option<Scale>,
    pub(crate) columns: Vec<Column>,
    pub(crate) selectable_fields: Vec<LitStr>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) deprecated: Option<LitStr>,
    pub(crate) is_not_served: bool,
    pub(crate) derives: Vec<Path>,
    pub(crate) has_apply: bool,
    pub(crate) klient: Option<Path>,
}

pub(crate) struct Scale {
    pub(crate) spec: LitStr,
    pub(crate) status: LitStr,
    pub(crate) selector: Option<LitStr>,
}

pub(crate) struct Column {
    pub(crate) name: LitStr,
    pub(crate) ty: LitStr,
    pub(crate) path: LitStr,
    pub(crate) description: Option<LitStr>,
    pub(crate) format: Option<LitStr>,
    pub(crate) priority: Option<LitInt>,
}

pub(crate) struct Rule {
    pub(crate) rule: LitStr,
    pub(crate) message: Option<LitStr>,
    pub(crate) message_expression: Option<LitStr>,
    pub(crate) reason: Option<LitStr>,
    pub(crate) field_path: Option<LitStr>,
    pub(crate) optional_old_self: bool,
}

const KNOWN: &str = "`group`, `version`, `kind`, `plural`, `singular`, `short_name`, `category`, `label`, `annotation`, `scope`, \
                     `status`, `scale`, `column`, `selectable_field`, `rule`, `deprecated`, `not_served`, `apply`, `derive` or \
                     `klient`";

impl Attributes {
    pub(crate) fn parse(attributes: &[Attribute], span: Span) -> syn::Result<Self> {
        let mut parsed = Attributes::default();
        let mut is_there = false;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("resource")) {
            is_there = true;
            attribute.parse_nested_meta(|meta| parsed.part(&meta))?;
        }
        if !is_there {
            let message =
                "a custom resource has names: add #[resource(group = \"example.com\", version = \"v1\")]";
            return Err(syn::Error::new(span, message));
        }
        Ok(parsed)
    }

    fn part(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(name) = meta.path.get_ident() else { return Err(meta.error(expected(KNOWN))) };
        match name.to_string().as_str() {
            "group" => once(&mut self.group, meta, name::check_group),
            "version" => once(&mut self.version, meta, |version| name::check_label(version, "version")),
            "kind" => once(&mut self.kind, meta, name::check_kind),
            "plural" => once(&mut self.plural, meta, |plural| name::check_label(plural, "plural")),
            "singular" => once(&mut self.singular, meta, |singular| name::check_label(singular, "singular")),
            "short_name" => push(&mut self.short_names, meta, |name| name::check_label(name, "short name")),
            "category" => push(&mut self.categories, meta, |name| name::check_label(name, "category")),
            "selectable_field" => push(&mut self.selectable_fields, meta, check_path),
            "scope" => once(&mut self.scope, meta, check_scope),
            "status" => once(&mut self.status, meta, |_| Ok(())),
            "klient" => once(&mut self.klient, meta, |_| Ok(())),
            "label" => pair(&mut self.labels, meta),
            "annotation" => pair(&mut self.annotations, meta),
            "scale" => {
                if self.scale.replace(scale(meta)?).is_some() {
                    return Err(meta.error("there is one scale"));
                }
                Ok(())
            }
            "column" => {
                self.columns.push(column(meta)?);
                Ok(())
            }
            "rule" => {
                self.rules.push(rule(meta)?);
                Ok(())
            }
            "deprecated" if meta.input.peek(Token![=]) => once(&mut self.deprecated, meta, |_| Ok(())),
            "deprecated" => {
                self.deprecated.get_or_insert_with(|| LitStr::new("", name.span()));
                Ok(())
            }
            "not_served" => {
                self.is_not_served = true;
                Ok(())
            }
            "apply" => {
                self.has_apply = true;
                Ok(())
            }
            "derive" => meta.parse_nested_meta(|derive| {
                self.derives.push(derive.path);
                Ok(())
            }),
            _ => Err(meta.error(expected(KNOWN))),
        }
    }
}

pub(crate) fn expected(names: &str) -> String {
    format!("expected {names}")
}

/// Sets a value that may be given once, and is checked.
pub(crate) fn once<T: Parse + quote::ToTokens>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    check: impl FnOnce(&T) -> syn::Result<()>,
) -> syn::Result<()> {
    let value: T = meta.value()?.parse()?;
    check(&value)?;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("this is given twice")),
    }
}

fn push(
    list: &mut Vec<LitStr>,
    meta: &ParseNestedMeta<'_>,
    check: impl FnOnce(&LitStr) -> syn::Result<()>,
) -> syn::Result<()> {
    let value: LitStr = meta.value()?.parse()?;
    check(&value)?;
    list.push(value);
    Ok(())
}

/// A key and its value, as in `label("app", "web")`.
fn pair(list: &mut Vec<(LitStr, LitStr)>, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    let content;
    syn::parenthesized!(content in meta.input);
    let parts = content.parse_terminated(<LitStr as Parse>::parse, Token![,])?;
    match (parts.get(0), parts.get(1), parts.len()) {
        (Some(key), Some(value), 2) => {
            list.push((key.clone(), value.clone()));
            Ok(())
        }
        _ => Err(meta.error(expected("a key and its value, as in (\"app\", \"web\")"))),
    }
}

pub(crate) fn check_scope(scope: &Ident) -> syn::Result<()> {
    match scope.to_string().as_str() {
        "Namespaced" | "Cluster" => Ok(()),
        _ => Err(syn::Error::new(scope.span(), "a scope is `Namespaced` or `Cluster`")),
    }
}

/// A JSON path of a definition begins with a dot.
fn check_path(path: &LitStr) -> syn::Result<()> {
    if path.value().starts_with('.') {
        return Ok(());
    }
    let message = format!("a JSON path begins with a dot: write \".{}\"", path.value());
    Err(syn::Error::new(path.span(), message))
}

fn required<T>(value: Option<T>, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<T> {
    value.ok_or_else(|| syn::Error::new(meta.path.span(), format!("expected {example}")))
}

fn scale(meta: &ParseNestedMeta<'_>) -> syn::Result<Scale> {
    let (mut spec, mut status, mut selector) = (None, None, None);
    meta.parse_nested_meta(|part| {
        let name = part.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "spec" => once(&mut spec, &part, check_path),
            "status" => once(&mut status, &part, check_path),
            "selector" => once(&mut selector, &part, check_path),
            _ => Err(part.error(expected("`spec`, `status` or `selector`"))),
        }
    })?;
    Ok(Scale {
        spec: required(spec, meta, "a path to the number that is wished, as in spec = \".spec.replicas\"")?,
        status: required(
            status,
            meta,
            "a path to the number that there is, as in status = \".status.replicas\"",
        )?,
        selector,
    })
}

fn column(meta: &ParseNestedMeta<'_>) -> syn::Result<Column> {
    let (mut name, mut ty, mut path) = (None, None, None);
    let (mut description, mut format, mut priority) = (None, None, None);
    meta.parse_nested_meta(|part| {
        // `type` is a keyword.
        let word = part.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match word.as_str() {
            "name" => once(&mut name, &part, |_| Ok(())),
            "type" => once(&mut ty, &part, |ty: &LitStr| match ty.value().as_str() {
                "string" | "integer" | "number" | "boolean" | "date" => Ok(()),
                _ => {
                    let message = "a column is a `string`, `integer`, `number`, `boolean` or `date`";
                    Err(syn::Error::new(ty.span(), message))
                }
            }),
            "path" => once(&mut path, &part, check_path),
            "description" => once(&mut description, &part, |_| Ok(())),
            "format" => once(&mut format, &part, |_| Ok(())),
            "priority" => once(&mut priority, &part, |_| Ok(())),
            _ => Err(part.error(expected("`name`, `type`, `path`, `description`, `format` or `priority`"))),
        }
    })?;
    Ok(Column {
        name: required(name, meta, "a heading, as in name = \"Pages\"")?,
        ty: required(ty, meta, "a type, as in type = \"integer\"")?,
        path: required(path, meta, "a path, as in path = \".status.pages\"")?,
        description,
        format,
        priority,
    })
}

/// A rule in CEL, with its parts.
pub(crate) fn rule(meta: &ParseNestedMeta<'_>) -> syn::Result<Rule> {
    let content;
    syn::parenthesized!(content in meta.input);
    let mut parsed = Rule {
        rule: content.parse()?,
        message: None,
        message_expression: None,
        reason: None,
        field_path: None,
        optional_old_self: false,
    };
    if parsed.rule.value().trim().is_empty() {
        return Err(syn::Error::new(
            parsed.rule.span(),
            "a rule is an expression of CEL, such as \"self.spec.size > 0\"",
        ));
    }
    while content.parse::<Option<Token![,]>>()?.is_some() && !content.is_empty() {
        let name: Ident = content.parse()?;
        content.parse::<Token![=]>()?;
        let place = match name.to_string().as_str() {
            "message" => &mut parsed.message,
            "message_expression" => &mut parsed.message_expression,
            "reason" => &mut parsed.reason,
            "field_path" => &mut parsed.field_path,
            "optional_old_self" => {
                parsed.optional_old_self = content.parse::<LitBool>()?.value;
                continue;
            }
            _ => {
                let names = "`message`, `message_expression`, `reason`, `field_path` or `optional_old_self`";
                return Err(syn::Error::new(name.span(), expected(names)));
            }
        };
        if place.replace(content.parse()?).is_some() {
            return Err(syn::Error::new(name.span(), "this is given twice"));
        }
    }
    if !content.is_empty() {
        return Err(content.error("expected a comma"));
    }
    if let Some(reason) = &parsed.reason {
        check_reason(reason)?;
    }
    Ok(parsed)
}

fn check_reason(reason: &LitStr) -> syn::Result<()> {
    let known = ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];
    if known.contains(&reason.value().as_str()) {
        return Ok(());
    }
    Err(syn::Error::new(reason.span(), format!("a reason is one of {}", known.join(", "))))
}

/// A rule as JSON, as schemas have it.
pub(crate) fn rule_as_json(rule: &Rule) -> TokenStream {
    let Rule { rule, message, message_expression, reason, field_path, optional_old_self } = rule;
    let parts = [
        ("message", message),
        ("messageExpression", message_expression),
        ("reason", reason),
        ("fieldPath", field_path),
    ];
    let parts =
        parts.into_iter().filter_map(|(name, text)| text.as_ref().map(|text| quote::quote!(#name: #text)));
    let optional_old_self = optional_old_self.then(|| quote::quote!("optionalOldSelf": true));
    let parts = parts.chain(optional_old_self);
    quote::quote!({"rule": #rule #(, #parts)*})
}

/// The path of klient: given, or that of the crate.
pub(crate) fn klient(given: Option<&Path>) -> TokenStream {
    match given {
        Some(path) => quote::quote!(#path),
        None => quote::quote!(::klient),
    }
}

/// An optional text; empty if it is absent.
pub(crate) fn text(text: Option<&LitStr>) -> TokenStream {
    match text {
        Some(text) => quote::quote!(#text),
        None => quote::quote!(""),
    }
}
