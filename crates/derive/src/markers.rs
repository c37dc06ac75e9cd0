//! Markers: the parts of `#[resource(…)]` and `#[apply(…)]` by which the schema of a field, or of a struct within another,
//! differs from that of its type.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, Ident, LitStr, Token, Type};

use crate::attributes::{
    Problems, Rule, alone, each_part, expected, once, parenthesized, rule, rule_as_json,
};
use crate::shape::{Shape, is_scalar};

/// The markers of a field or struct.
#[derive(Default)]
pub(crate) struct Markers {
    pub(crate) rules: Vec<Rule>,
    pub(crate) list_type: Option<LitStr>,
    pub(crate) list_map_keys: Vec<LitStr>,
    /// `map_type` or `struct_type`, which are one keyword.
    pub(crate) map_type: Option<LitStr>,
    pub(crate) default: Option<TokenStream>,
    /// Keywords of a schema that are true.
    pub(crate) flags: Vec<&'static str>,
    /// The field is set as a whole by an apply configuration.
    pub(crate) is_value: bool,
}

/// The flags, and the keywords of a schema that they are.
const FLAGS: [(&str, &str); 4] = [
    ("preserve_unknown_fields", "x-kubernetes-preserve-unknown-fields"),
    ("embedded_resource", "x-kubernetes-embedded-resource"),
    ("int_or_string", "x-kubernetes-int-or-string"),
    ("nullable", "nullable"),
];

const OF_SCHEMA: &str = "`rule`, `list_type`, `list_map_keys`, `map_type`, `struct_type`, `default`, `preserve_unknown_fields`, \
                         `embedded_resource`, `int_or_string` or `nullable`";
const OF_APPLY: &str = "`value`, `list_type`, `list_map_keys`, `map_type` or `struct_type`";

impl Markers {
    /// The markers of a field of a type, or of a struct if there is none.
    pub(crate) fn parse(attributes: &[Attribute], ty: Option<&Type>) -> syn::Result<Self> {
        let (mut markers, mut problems) = (Markers::default(), Problems::default());
        for attribute in attributes {
            let is_apply = attribute.path().is_ident("apply");
            if is_apply || attribute.path().is_ident("resource") {
                problems.add(each_part(attribute, |meta| markers.part(meta, is_apply, ty)));
            }
        }
        problems.or(())?;
        markers.check()?;
        Ok(markers)
    }

    fn part(&mut self, meta: &ParseNestedMeta<'_>, is_apply: bool, ty: Option<&Type>) -> syn::Result<()> {
        let known = if is_apply { OF_APPLY } else { OF_SCHEMA };
        let Some(name) = meta.path.get_ident() else { return Err(meta.error(expected(known))) };
        let word = name.to_string();
        match word.as_str() {
            "value" if is_apply => {
                alone(meta)?;
                self.is_value = true;
                Ok(())
            }
            "list_type" => {
                of_list(name, ty)?;
                one_of(&mut self.list_type, meta, &["atomic", "set", "map"])
            }
            "list_map_keys" => {
                of_list(name, ty)?;
                let form = "the fields by which items are told apart, as in list_map_keys(\"name\")";
                let content = parenthesized(name.span(), meta.input, form)?;
                let keys = content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,]);
                let keys = keys.map_err(|error| syn::Error::new(error.span(), expected(form)))?;
                if keys.is_empty() {
                    return Err(syn::Error::new(name.span(), expected(form)));
                }
                self.list_map_keys.extend(keys);
                Ok(())
            }
            "map_type" | "struct_type" => {
                let what = if word == "map_type" { "a map" } else { "a struct" };
                if let Some(ty) = ty.filter(|ty| Shape::of(ty).is_list() || is_scalar(ty)) {
                    return Err(misplaced(name, what, ty));
                }
                one_of(&mut self.map_type, meta, &["granular", "atomic"])
            }
            "rule" if !is_apply => {
                self.rules.push(rule(meta)?);
                Ok(())
            }
            "default" if !is_apply => match self.default.replace(json(meta)?) {
                None => Ok(()),
                Some(_) => Err(meta.error("this is given twice")),
            },
            _ => match FLAGS.iter().find(|(flag, _)| !is_apply && *flag == word) {
                Some((_, keyword)) => {
                    alone(meta)?;
                    self.flags.push(keyword);
                    Ok(())
                }
                None => Err(meta.error(expected(known))),
            },
        }
    }

    fn check(&self) -> syn::Result<()> {
        let is_map = self.list_type.as_ref().is_some_and(|ty| ty.value() == "map");
        match (&self.list_type, self.list_map_keys.first()) {
            (Some(list_type), None) if is_map => Err(syn::Error::new(
                list_type.span(),
                "items of a list of this type are told apart by fields: add list_map_keys(\"name\") with theirs",
            )),
            (_, Some(key)) if !is_map => Err(syn::Error::new(
                key.span(),
                "only items of a list of type \"map\" are told apart by fields: add list_type = \"map\"",
            )),
            _ => Ok(()),
        }
    }

    /// The markers as keywords of a JSON schema, for schemars' attribute `extend`.
    pub(crate) fn keywords(&self) -> Vec<TokenStream> {
        let mut keywords = Vec::new();
        if !self.rules.is_empty() {
            let rules = self.rules.iter().map(rule_as_json);
            keywords.push(quote!("x-kubernetes-validations" = [#(#rules),*]));
        }
        if let Some(list_type) = &self.list_type {
            keywords.push(quote!("x-kubernetes-list-type" = #list_type));
        }
        if let [_, ..] = &self.list_map_keys[..] {
            let keys = &self.list_map_keys;
            keywords.push(quote!("x-kubernetes-list-map-keys" = [#(#keys),*]));
        }
        if let Some(map_type) = &self.map_type {
            keywords.push(quote!("x-kubernetes-map-type" = #map_type));
        }
        if let Some(default) = &self.default {
            keywords.push(quote!("default" = #default));
        }
        keywords.extend(self.flags.iter().map(|keyword| quote!(#keyword = true)));
        keywords
    }
}

/// The tokens of a JSON value.
fn json(meta: &ParseNestedMeta<'_>) -> syn::Result<TokenStream> {
    let form = "a value in JSON, as in default = 3";
    if !meta.input.peek(Token![=]) {
        return Err(syn::Error::new(meta.path.span(), expected(form)));
    }
    let input = meta.value()?;
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    if tokens.is_empty() {
        return Err(syn::Error::new(meta.path.span(), expected(form)));
    }
    Ok(tokens)
}

/// Sets a text that may be given once, and is one of those that are known.
pub(crate) fn one_of(
    place: &mut Option<LitStr>,
    meta: &ParseNestedMeta<'_>,
    known: &[&str],
) -> syn::Result<()> {
    let values = known.iter().map(|known| format!("\"{known}\"")).collect::<Vec<_>>().join(" or ");
    let name = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    let form = format!("{values}, as in {name} = \"{}\"", known.first().unwrap_or(&""));
    once(place, meta, &form, |value: &LitStr| match known.contains(&value.value().as_str()) {
        true => Ok(()),
        false => Err(syn::Error::new(value.span(), expected(&form))),
    })
}

/// A marker of lists is at a list, as far as the name of the type says so.
fn of_list(name: &Ident, ty: Option<&Type>) -> syn::Result<()> {
    match ty {
        None => {
            let message =
                format!("`{name}` is for a list, and this is a struct: move it to the field with the list");
            Err(syn::Error::new(name.span(), message))
        }
        Some(ty) if is_scalar(ty) || Shape::of(ty).is_map() => Err(misplaced(name, "a list", ty)),
        Some(_) => Ok(()),
    }
}

fn misplaced(name: &Ident, what: &str, ty: &Type) -> syn::Error {
    let ty = quote!(#ty).to_string().replace(' ', "");
    let message = format!("`{name}` is for {what}, and this field is of type `{ty}`: leave it out");
    syn::Error::new(name.span(), message)
}

/// Returns true if a struct is the specification of a custom resource, by its attribute.
pub(crate) fn is_specification(attributes: &[Attribute]) -> Option<Span> {
    let attributes = attributes.iter().filter(|attribute| attribute.path().is_ident("resource"));
    attributes.filter_map(|attribute| attribute.meta.require_list().ok()).find_map(|list| {
        let first = list.tokens.clone().into_iter().next()?;
        let has_group = list.tokens.clone().into_iter().any(|token| token.to_string() == "group");
        has_group.then(|| first.span())
    })
}
