//! The attribute `#[resource(…)]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseBuffer};
use syn::spanned::Spanned as _;
use syn::token::Paren;
use syn::{Attribute, Ident, Lit, LitBool, LitInt, LitStr, Path, Token, Type};

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

pub(crate) const SCOPE: &str = "a scope without quotes: `Namespaced` or `Cluster`";
pub(crate) const KLIENT: &str = "a path without quotes, as in klient = path::to::klient";

/// Names that other derives have for the same, and ours.
const FOREIGN: [(&str, &str); 17] = [
    ("shortname", "expected `short_name`, as in short_name = \"web\""),
    ("short_names", "expected `short_name`, which may be repeated"),
    ("categories", "expected `category`, which may be repeated"),
    ("namespaced", "a resource is namespaced unless it has scope = Cluster: leave this out"),
    (
        "printcolumn",
        "expected `column`, as in column(name = \"Pages\", type = \"integer\", path = \".status.pages\")",
    ),
    ("selectable", "expected `selectable_field`, as in selectable_field = \".spec.color\""),
    ("validation", "expected `rule`, as in rule(\"self.spec.replicas < 9\", message = \"too many\")"),
    ("served", "expected `not_served`; a version is served without it"),
    (
        "storage",
        "the second argument of `Definition::merge` names the version that is stored: leave this out",
    ),
    ("doc", "the comment of the struct is the description: leave this out"),
    ("struct", "expected `kind`, which is the name of the struct of the objects, too"),
    ("root", "expected `kind`, which is the name of the struct of the objects, too"),
    ("schema", "a schema that is written by hand is a `definitions::Declaration`: leave this out"),
    ("crates", "expected `klient`, as in klient = path::to::klient"),
    ("subresource", "expected `status` or `scale`, as in status = WebsiteStatus"),
    ("api_version", "expected `group` and `version`"),
    ("attr", "the struct of the objects has no attributes of its own but `derive`"),
];

const KNOWN: &str = "`group`, `version`, `kind`, `plural`, `singular`, `short_name`, `category`, `label`, `annotation`, `scope`, \
                     `status`, `scale`, `column`, `selectable_field`, `rule`, `deprecated`, `not_served`, `apply`, `derive` or \
                     `klient`";

impl Attributes {
    pub(crate) fn parse(attributes: &[Attribute], span: Span) -> syn::Result<Self> {
        let (mut parsed, mut problems) = (Attributes::default(), Problems::default());
        let mut is_there = false;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("resource")) {
            is_there = true;
            problems.add(each_part(attribute, |meta| parsed.part(meta)));
        }
        if !is_there {
            let message =
                "a custom resource has names: add #[resource(group = \"example.com\", version = \"v1\")]";
            return Err(syn::Error::new(span, message));
        }
        problems.or(parsed)
    }

    fn part(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(name) = meta.path.get_ident() else { return Err(meta.error(expected(KNOWN))) };
        let label = |what: &'static str| move |text: &LitStr| name::check_label(text, what);
        match name.to_string().as_str() {
            "group" => once(
                &mut self.group,
                meta,
                "a name in quotes, as in group = \"example.com\"",
                name::check_group,
            ),
            "version" => {
                once(&mut self.version, meta, "a version in quotes, as in version = \"v1\"", label("version"))
            }
            "kind" => {
                once(&mut self.kind, meta, "a name in quotes, as in kind = \"Website\"", name::check_kind)
            }
            "plural" => {
                once(&mut self.plural, meta, "a name in quotes, as in plural = \"websites\"", label("plural"))
            }
            "singular" => once(
                &mut self.singular,
                meta,
                "a name in quotes, as in singular = \"website\"",
                label("singular"),
            ),
            "short_name" => push(
                &mut self.short_names,
                meta,
                "a name in quotes, as in short_name = \"web\"",
                label("short name"),
            ),
            "category" => push(
                &mut self.categories,
                meta,
                "a name in quotes, as in category = \"all\"",
                label("category"),
            ),
            "selectable_field" => {
                let form = "a path in quotes, as in selectable_field = \".spec.color\"";
                push(&mut self.selectable_fields, meta, form, check_path)
            }
            "scope" => once(&mut self.scope, meta, SCOPE, check_scope),
            "status" => {
                once(&mut self.status, meta, "a type, without quotes, as in status = WebsiteStatus", |_| {
                    Ok(())
                })
            }
            "klient" => once(&mut self.klient, meta, KLIENT, |_| Ok(())),
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
            "deprecated" if alone(meta).is_ok() => {
                self.deprecated.get_or_insert_with(|| LitStr::new("", name.span()));
                Ok(())
            }
            "deprecated" => {
                let form = "a warning in quotes, as in deprecated = \"use v2\", or `deprecated` alone";
                once(&mut self.deprecated, meta, form, |_| Ok(()))
            }
            "not_served" => {
                alone(meta)?;
                self.is_not_served = true;
                Ok(())
            }
            "apply" => {
                alone(meta)?;
                self.has_apply = true;
                Ok(())
            }
            "derive" => parts(meta, "traits, as in derive(PartialEq)", |derive| {
                self.derives.push(derive.path.clone());
                alone(&derive)
            }),
            word => {
                let remedy = FOREIGN.iter().find(|(foreign, _)| *foreign == word).map(|(_, remedy)| *remedy);
                Err(meta.error(remedy.map_or_else(|| expected(KNOWN), str::to_owned)))
            }
        }
    }
}

/// Problems of several parts, which are told together.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    pub(crate) fn add(&mut self, result: syn::Result<()>) {
        match (&mut self.0, result) {
            (_, Ok(())) => {}
            (Some(problems), Err(problem)) => problems.combine(problem),
            (problems, Err(problem)) => *problems = Some(problem),
        }
    }

    /// The value if there is no problem.
    pub(crate) fn or<T>(self, value: T) -> syn::Result<T> {
        match self.0 {
            None => Ok(value),
            Some(problems) => Err(problems),
        }
    }
}

/// Reads each part of an attribute, and goes on with the next one behind a problem.
pub(crate) fn each_part(
    attribute: &Attribute,
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let mut problems = Problems::default();
    let parsed = attribute.parse_nested_meta(|meta| {
        if let Err(problem) = read(&meta) {
            problems.add(Err(problem));
            while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
                meta.input.parse::<TokenTree>()?;
            }
        }
        Ok(())
    });
    // What is left of a part that could not be read is no problem of its own.
    problems.or(())?;
    parsed
}

pub(crate) fn expected(names: &str) -> String {
    format!("expected {names}")
}

/// Sets a value of a form that may be given once, and is checked.
pub(crate) fn once<T: Parse + quote::ToTokens>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    form: &str,
    check: impl FnOnce(&T) -> syn::Result<()>,
) -> syn::Result<()> {
    let value: T = value(meta, form)?;
    check(&value)?;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("this is given twice")),
    }
}

fn push(
    list: &mut Vec<LitStr>,
    meta: &ParseNestedMeta<'_>,
    form: &str,
    check: impl FnOnce(&LitStr) -> syn::Result<()>,
) -> syn::Result<()> {
    let value: LitStr = value(meta, form)?;
    check(&value)?;
    list.push(value);
    Ok(())
}

/// The value behind `=`.
fn value<T: Parse>(meta: &ParseNestedMeta<'_>, form: &str) -> syn::Result<T> {
    if !meta.input.peek(Token![=]) {
        return Err(syn::Error::new(meta.path.span(), expected(form)));
    }
    let input = meta.value()?;
    let span = input.span();
    input.parse().map_err(|_| syn::Error::new(span, expected(form)))
}

/// The content of the parentheses behind a name.
pub(crate) fn parenthesized<'a>(
    name: Span,
    input: &ParseBuffer<'a>,
    form: &str,
) -> syn::Result<ParseBuffer<'a>> {
    if !input.peek(Paren) {
        return Err(syn::Error::new(name, expected(form)));
    }
    let content;
    syn::parenthesized!(content in input);
    Ok(content)
}

/// Reads each named part of an attribute that has parts in parentheses, as `scale(spec = "…")`.
pub(crate) fn parts(
    meta: &ParseNestedMeta<'_>,
    form: &str,
    read: impl FnMut(ParseNestedMeta<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let content = parenthesized(meta.path.span(), &meta.input.fork(), form)?;
    if content.peek(Lit) {
        return Err(syn::Error::new(content.span(), expected(form)));
    }
    meta.parse_nested_meta(read)
}

/// Checks that an attribute is its name alone.
pub(crate) fn alone(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.is_empty() || meta.input.peek(Token![,]) {
        return Ok(());
    }
    let name = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    Err(syn::Error::new(meta.path.span(), format!("expected `{name}` alone, without a value")))
}

/// A key and its value, as in `label("app", "web")`.
fn pair(list: &mut Vec<(LitStr, LitStr)>, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    let form = match meta.path.is_ident("label") {
        true => "a key and its value, as in label(\"app\", \"web\")",
        false => "a key and its value, as in annotation(\"example.com/team\", \"web\")",
    };
    let content = parenthesized(meta.path.span(), meta.input, form)?;
    let parts = content.parse_terminated(<LitStr as Parse>::parse, Token![,]);
    let parts = parts.map_err(|error| syn::Error::new(error.span(), expected(form)))?;
    match (parts.get(0), parts.get(1), parts.len()) {
        (Some(key), Some(value), 2) => {
            list.push((key.clone(), value.clone()));
            Ok(())
        }
        _ => Err(meta.error(expected(form))),
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
    let form = "paths in quotes, as in scale(spec = \".spec.replicas\", status = \".status.replicas\")";
    parts(meta, form, |part| {
        let name = part.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "spec" => once(&mut spec, &part, form, check_path),
            "status" => once(&mut status, &part, form, check_path),
            "selector" => once(&mut selector, &part, form, check_path),
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
    let form = "a column as in column(name = \"Pages\", type = \"integer\", path = \".status.pages\")";
    parts(meta, form, |part| {
        // `type` is a keyword.
        let word = part.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let text = &format!("a text in quotes, as in {word} = \"…\"");
        match word.as_str() {
            "name" => once(&mut name, &part, text, |_| Ok(())),
            "type" => once(&mut ty, &part, text, |ty: &LitStr| match ty.value().as_str() {
                "string" | "integer" | "number" | "boolean" | "date" => Ok(()),
                _ => {
                    let message = "a column is a `string`, `integer`, `number`, `boolean` or `date`";
                    Err(syn::Error::new(ty.span(), message))
                }
            }),
            "path" => once(&mut path, &part, text, check_path),
            "description" => once(&mut description, &part, text, |_| Ok(())),
            "format" => once(&mut format, &part, text, |_| Ok(())),
            "priority" => once(&mut priority, &part, "a number, as in priority = 1", |_| Ok(())),
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

/// The form of what follows the expression of a rule.
const RULE_PART: &str = "a name with a value, as in message = \"too small\"";

/// A rule in CEL, with its parts.
pub(crate) fn rule(meta: &ParseNestedMeta<'_>) -> syn::Result<Rule> {
    let form = "a rule in CEL, as in rule(\"self.size > 0\", message = \"too small\")";
    let content = parenthesized(meta.path.span(), meta.input, form)?;
    let span = if content.is_empty() { meta.path.span() } else { content.span() };
    let mut parsed = Rule {
        rule: content.parse().map_err(|_| syn::Error::new(span, expected(form)))?,
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
        let span = content.span();
        let name: Ident = content.parse().map_err(|_| syn::Error::new(span, expected(RULE_PART)))?;
        if content.parse::<Option<Token![=]>>()?.is_none() {
            return Err(syn::Error::new(name.span(), expected(RULE_PART)));
        }
        let span = content.span();
        let wrong = |form: &str| syn::Error::new(span, expected(form));
        let place = match name.to_string().as_str() {
            "message" => &mut parsed.message,
            "message_expression" => &mut parsed.message_expression,
            "reason" => &mut parsed.reason,
            "field_path" => &mut parsed.field_path,
            "optional_old_self" => {
                let form = "true or false, as in optional_old_self = true";
                parsed.optional_old_self = content.parse::<LitBool>().map_err(|_| wrong(form))?.value;
                continue;
            }
            _ => {
                let names = "`message`, `message_expression`, `reason`, `field_path` or `optional_old_self`";
                return Err(syn::Error::new(name.span(), expected(names)));
            }
        };
        let text = content.parse().map_err(|_| wrong(&format!("a text in quotes, as in {name} = \"…\"")))?;
        if place.replace(text).is_some() {
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
