//! The JSON schema of a struct or enum with markers: that of a copy, whose markers are attributes of schemars.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, Ident, Meta, Token};

use crate::markers::{Markers, is_specification};
use crate::serde_attributes;

/// The attributes that say something of a schema.
const KEPT: [&str; 6] = ["serde", "schemars", "doc", "deprecated", "validate", "garde"];

/// Derives schemars' `JsonSchema`.
pub(crate) fn resource_schema(input: &DeriveInput) -> syn::Result<TokenStream> {
    if !input.generics.params.is_empty() {
        let problem = "a schema with markers is of one type: leave the parameters out";
        return Err(syn::Error::new_spanned(&input.generics, problem));
    }
    let ident = &input.ident;
    let name = ident.to_string();
    let (copy, copy_ident) = copy(input)?;
    Ok(quote! {
        impl ::schemars::JsonSchema for #ident {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(#name)
            }

            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(::std::concat!(::std::module_path!(), "::", #name))
            }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                #copy
                <#copy_ident as ::schemars::JsonSchema>::json_schema(generator)
            }
        }
    })
}

/// Returns true if a field has markers.
pub(crate) fn has_markers(input: &DeriveInput) -> bool {
    let is_marker = |attribute: &Attribute| attribute.path().is_ident("resource");
    fields(&input.data).any(|field| field.attrs.iter().any(is_marker))
}

fn fields(data: &Data) -> Box<dyn Iterator<Item = &Field> + '_> {
    match data {
        Data::Struct(data) => Box::new(data.fields.iter()),
        Data::Enum(data) => Box::new(data.variants.iter().flat_map(|variant| &variant.fields)),
        Data::Union(_) => Box::new(std::iter::empty()),
    }
}

/// A type with the schema of another and its markers, and its name.
pub(crate) fn copy(input: &DeriveInput) -> syn::Result<(TokenStream, Ident)> {
    let mut copy = input.clone();
    let original = &input.ident;
    copy.ident = format_ident!("KlientSchemaOf{}", original);
    // Those of the specification of a custom resource are its definition's.
    let of_struct = match is_specification(&input.attrs) {
        Some(_) => Markers::default(),
        None => Markers::parse(&input.attrs, None)?,
    };
    let default = container_default(&input.attrs);
    let is_rename = |part: Meta| part.path().is_ident("rename");
    let is_renamed = ["schemars", "serde"]
        .into_iter()
        .any(|name| serde_attributes::parts(&input.attrs, name).any(is_rename));
    let mut attributes = mark(&copy.attrs, &of_struct);
    if !is_renamed {
        let name = original.to_string();
        attributes.push(syn::parse_quote!(#[schemars(rename = #name)]));
    }
    if default.is_some() {
        attributes = attributes.into_iter().map(without_default).collect();
        attributes.push(syn::parse_quote!(#[serde(default)]));
    }
    copy.attrs = attributes;
    copy.vis = syn::Visibility::Inherited;
    match &mut copy.data {
        Data::Struct(data) => data.fields.iter_mut().try_for_each(mark_field)?,
        Data::Enum(data) => {
            for variant in &mut data.variants {
                variant.attrs = mark(&variant.attrs, &Markers::default());
                variant.fields.iter_mut().try_for_each(mark_field)?;
            }
        }
        Data::Union(_) => {
            return Err(syn::Error::new(original.span(), "a union has no schema: use a struct or an enum"));
        }
    }
    let ident = &copy.ident;
    let default = default.map(|default| {
        let members: Vec<_> = fields(&input.data).filter_map(|field| field.ident.as_ref()).collect();
        quote! {
            impl ::std::default::Default for #ident {
                fn default() -> Self {
                    let original: #original = #default;
                    #ident { #(#members: original.#members),* }
                }
            }
        }
    });
    let copied = quote! {
        #[derive(::schemars::JsonSchema)]
        #[allow(dead_code, missing_docs, reason = "it has a schema and no values")]
        #copy
        #default
    };
    Ok((copied, copy.ident.clone()))
}

fn mark_field(field: &mut Field) -> syn::Result<()> {
    let markers = Markers::parse(&field.attrs, Some(&field.ty))?;
    field.attrs = mark(&field.attrs, &markers);
    Ok(())
}

/// The attributes that say something of a schema, with the markers as one of them.
fn mark(attributes: &[Attribute], markers: &Markers) -> Vec<Attribute> {
    let is_kept = |attribute: &&Attribute| KEPT.iter().any(|name| attribute.path().is_ident(name));
    let mut kept: Vec<_> = attributes.iter().filter(is_kept).cloned().collect();
    let keywords = markers.keywords();
    if !keywords.is_empty() {
        kept.push(syn::parse_quote!(#[schemars(extend(#(#keywords),*))]));
    }
    kept
}

/// The value from which fields that are absent are taken, if serde takes them from one.
fn container_default(attributes: &[Attribute]) -> Option<TokenStream> {
    serde_attributes::parts(attributes, "serde").find(|part| part.path().is_ident("default")).map(|part| {
        let path = serde_attributes::path(&part);
        match path {
            Some(path) => quote!(#path()),
            None => quote!(::std::default::Default::default()),
        }
    })
}

/// An attribute of serde without its `default`.
fn without_default(attribute: Attribute) -> Attribute {
    if !attribute.path().is_ident("serde") {
        return attribute;
    }
    let Ok(parts) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return attribute;
    };
    let parts = parts.iter().filter(|part| !part.path().is_ident("default"));
    syn::parse_quote!(#[serde(#(#parts),*)])
}
