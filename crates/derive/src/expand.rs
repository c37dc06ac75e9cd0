//! The code that is derived from a struct.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident, LitStr};

use crate::attributes::{Attributes, Column, Rule, Scale, klient, text};
use crate::{apply, name, schema};

pub(crate) fn custom_resource(input: &DeriveInput) -> syn::Result<TokenStream> {
    check(input)?;
    let attributes = Attributes::parse(&input.attrs, input.ident.span())?;
    let spec = &input.ident;
    let missing = |what: &str, example: &str| {
        syn::Error::new(spec.span(), format!("a custom resource has {what}: add #[resource({example})]"))
    };
    let group = attributes.group.as_ref().ok_or_else(|| missing("a group", "group = \"example.com\""))?;
    let version = attributes.version.as_ref().ok_or_else(|| missing("a version", "version = \"v1\""))?;
    let kind = kind(spec, attributes.kind.as_ref())?;
    let plural = match &attributes.plural {
        Some(plural) => plural.clone(),
        None => LitStr::new(&name::plural(&kind.value()), kind.span()),
    };
    let klient = klient(attributes.klient.as_ref());
    let scope = attributes.scope.clone().unwrap_or_else(|| format_ident!("Namespaced"));
    let object = Ident::new(&kind.value(), kind.span());
    let visibility = &input.vis;
    let has_status = attributes.status.iter().map(|_| format_ident!("Status"));
    let has_scale = attributes.scale.iter().map(|_| format_ident!("Scale"));
    let subresources = has_status.chain(has_scale);
    let docs = input.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let derives = &attributes.derives;
    let apply = attributes.has_apply.then(|| {
        quote! {
            #[derive(#klient::ApplyConfiguration)]
            #[apply(scope = #scope, klient = #klient)]
        }
    });
    let configuration = match attributes.has_apply {
        true => apply::of_specification(input, &klient)?,
        false => TokenStream::new(),
    };
    let status = attributes.status.iter().map(|status| {
        quote! {
            /// Observed state, which the subresource `status` writes.
            pub status: ::std::option::Option<#status>,
        }
    });
    let schema = schema_of(input, &klient)?;
    let declaration = declaration(&attributes, &schema, &klient);
    Ok(quote! {
        #klient::custom_resource! {
            group: #group, version: #version, kind: #kind, plural: #plural,
            scope: #scope, subresources: [#(#subresources),*];

            #(#docs)*
            #[derive(#(#derives),*)]
            #apply
            #visibility struct #object {
                /// Desired state: the part that clients write.
                pub spec: #spec,
                #(#status)*
            }
        }

        impl #object {
            /// An object with a name and a specification.
            #visibility fn new(name: impl ::std::convert::Into<#klient::Str>, spec: #spec) -> Self {
                #object {
                    metadata: #klient::ObjectMeta { name: ::std::option::Option::Some(name.into()), ..::std::default::Default::default() },
                    spec,
                    ..::std::default::Default::default()
                }
            }

            /// The CustomResourceDefinition with this version.
            #visibility fn definition() -> #klient::definitions::Definition {
                <Self as #klient::definitions::Defined>::definition()
            }
        }

        #configuration

        impl #klient::definitions::Defined for #object {
            fn definition() -> #klient::definitions::Definition {
                #klient::definitions::Definition::new::<Self>(#declaration)
            }
        }
    })
}

/// Checks that the struct has named fields and no parameters.
fn check(input: &DeriveInput) -> syn::Result<()> {
    let problem = match &input.data {
        Data::Struct(data) if !matches!(data.fields, Fields::Named(_)) => Some(
            "the specification of a custom resource has named fields, as in `struct WebsiteSpec { size: u32 }`",
        ),
        Data::Struct(_) => None,
        _ => Some(
            "the specification of a custom resource is a struct: derive CustomResource for one that has this as a field",
        ),
    };
    if let Some(problem) = problem {
        return Err(syn::Error::new(input.ident.span(), problem));
    }
    if !input.generics.params.is_empty() {
        let problem =
            "the specification of a custom resource has no parameters, since a definition has one schema";
        return Err(syn::Error::new_spanned(&input.generics, problem));
    }
    Ok(())
}

/// The kind: given, or the name of the struct without `Spec`.
fn kind(spec: &Ident, given: Option<&LitStr>) -> syn::Result<LitStr> {
    let name = spec.to_string();
    let kind = match (given, name.strip_suffix("Spec")) {
        (Some(kind), _) => kind.clone(),
        (None, Some(kind)) if !kind.is_empty() => LitStr::new(kind, spec.span()),
        (None, _) => {
            let message = format!("the kind is not known: name the struct {name}Spec, or add kind = \"…\"");
            return Err(syn::Error::new(spec.span(), message));
        }
    };
    if kind.value() == name {
        let message = format!(
            "the kind is the name of the struct of the objects: give the specification another, as {name}Spec"
        );
        return Err(syn::Error::new(kind.span(), message));
    }
    Ok(kind)
}

/// The schema of a specification: that of its type, or if its fields have markers that of a copy with them.
fn schema_of(input: &DeriveInput, klient: &TokenStream) -> syn::Result<TokenStream> {
    if !schema::has_markers(input) {
        let spec = &input.ident;
        return Ok(quote!(#klient::definitions::schema_of::<#spec>()));
    }
    let (copy, ident) = schema::copy(input)?;
    Ok(quote!({
        #copy
        #klient::definitions::schema_of::<#ident>()
    }))
}

/// A literal of `Declaration`.
fn declaration(attributes: &Attributes, schema: &TokenStream, klient: &TokenStream) -> TokenStream {
    let Attributes { short_names, categories, selectable_fields, is_not_served, .. } = attributes;
    let definitions = quote!(#klient::definitions);
    let optional = |value: Option<TokenStream>| match value {
        Some(value) => quote!(::std::option::Option::Some(#value)),
        None => quote!(::std::option::Option::None),
    };
    let literal = |literal: &LitStr| quote!(#literal);
    let pairs = |pairs: &[(LitStr, LitStr)]| {
        let pairs = pairs.iter().map(|(key, value)| quote!((#key, #value)));
        quote!(&[#(#pairs),*])
    };
    let (labels, annotations) = (pairs(&attributes.labels), pairs(&attributes.annotations));
    let singular = optional(attributes.singular.as_ref().map(literal));
    let deprecated = optional(attributes.deprecated.as_ref().map(literal));
    let status =
        optional(attributes.status.as_ref().map(|status| quote!(#definitions::schema_of::<#status>())));
    let scale = optional(attributes.scale.as_ref().map(|Scale { spec, status, selector }| {
        let selector = optional(selector.as_ref().map(literal));
        quote!(#definitions::Scale { spec: #spec, status: #status, selector: #selector })
    }));
    let columns = attributes.columns.iter().map(|Column { name, ty, path, description, format, priority }| {
        let (description, format) = (text(description.as_ref()), text(format.as_ref()));
        let priority = priority.as_ref().map_or_else(|| quote!(0), |priority| quote!(#priority));
        quote! {
            #definitions::Column {
                name: #name, ty: #ty, path: #path, description: #description, format: #format, priority: #priority,
            }
        }
    });
    let rules = attributes.rules.iter().map(|rule| {
        let Rule { rule, message, message_expression, reason, field_path, optional_old_self } = rule;
        let [message, message_expression, reason, field_path] =
            [message, message_expression, reason, field_path].map(|part| text(part.as_ref()));
        quote! {
            #definitions::Rule {
                rule: #rule, message: #message, message_expression: #message_expression, reason: #reason,
                field_path: #field_path, optional_old_self: #optional_old_self,
            }
        }
    });
    quote! {
        #definitions::Declaration {
            singular: #singular,
            short_names: &[#(#short_names),*],
            categories: &[#(#categories),*],
            labels: #labels,
            annotations: #annotations,
            spec: ::std::option::Option::Some(#schema),
            status: #status,
            scale: #scale,
            columns: &[#(#columns),*],
            selectable_fields: &[#(#selectable_fields),*],
            rules: &[#(#rules),*],
            is_not_served: #is_not_served,
            deprecated: #deprecated,
        }
    }
}
