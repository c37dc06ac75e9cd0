//! Apply configurations of structs.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, Path, Type};

use crate::attributes::{KLIENT, Problems, SCOPE, check_scope, each_part, expected, klient, once};
use crate::markers::{Markers, is_specification, one_of};
use crate::serde_attributes::{self, Container};
use crate::shape::{Shape, bare, is_into, is_number};

/// Names that a setter of any configuration cannot have, followed by those of kinds.
const TAKEN: [&str; 17] = [
    "new",
    "as_map",
    "into_value",
    "from_json",
    "from_yaml",
    "from_value",
    "extract",
    "extract_subresource",
    "name",
    "namespace",
    "generate_name",
    "uid",
    "resource_version",
    "labels",
    "annotations",
    "owner_references",
    "finalizers",
];

/// The number of names in [`TAKEN`] that configurations of parts have, too.
const TAKEN_ALWAYS: usize = 3;

/// The parts of `#[apply(…)]` of a struct.
#[derive(Default)]
struct Attributes {
    /// `Namespaced` or `Cluster` for a kind.
    scope: Option<Ident>,
    klient: Option<Path>,
    is_atomic: bool,
}

impl Attributes {
    fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let (mut parsed, mut problems) = (Attributes::default(), Problems::default());
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("apply")) {
            problems.add(each_part(attribute, |meta| {
                match meta.path.get_ident().map(Ident::to_string).unwrap_or_default().as_str() {
                    "scope" => once(&mut parsed.scope, meta, SCOPE, check_scope),
                    "klient" => once(&mut parsed.klient, meta, KLIENT, |_| Ok(())),
                    "struct_type" => {
                        let mut ty = None;
                        one_of(&mut ty, meta, &["granular", "atomic"])?;
                        parsed.is_atomic = ty.is_some_and(|ty| ty.value() == "atomic");
                        Ok(())
                    }
                    _ => Err(meta.error(expected("`scope`, `struct_type` or `klient`"))),
                }
            }));
        }
        problems.or(parsed)
    }
}

/// Derives the configuration of a struct; an enum and a struct around one value are configurations themselves.
pub(crate) fn apply_configuration(input: &DeriveInput) -> syn::Result<TokenStream> {
    if let Some(span) = is_specification(&input.attrs) {
        let message = "the derive of a specification makes its configuration, too: write #[resource(apply, …)], and leave out \
                       ApplyConfiguration";
        return Err(syn::Error::new(span, message));
    }
    let attributes = Attributes::parse(&input.attrs)?;
    let klient = klient(attributes.klient.as_ref());
    if !input.generics.params.is_empty() {
        let problem = "a configuration is of one type: leave the parameters out";
        return Err(syn::Error::new_spanned(&input.generics, problem));
    }
    let container = Container::parse(&input.attrs);
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(_) if container.is_converted => Ok(of_value(&input.ident, None, &klient)),
            Fields::Named(fields) if container.is_transparent => {
                let is_written = |field: &&Field| !serde_attributes::Field::parse(&field.attrs).is_skipped;
                let ty = fields.named.iter().find(is_written).map(|field| &field.ty);
                Ok(of_value(&input.ident, ty, &klient))
            }
            Fields::Named(_) => of_struct(input, &attributes, &klient),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                Ok(of_value(&input.ident, fields.unnamed.first().map(|field| &field.ty), &klient))
            }
            Fields::Unnamed(_) => Err(syn::Error::new(
                input.ident.span(),
                "an apply configuration sets fields by their names, which this struct does not give: name them, as in \
                 `struct Size { width: u32, height: u32 }`",
            )),
            Fields::Unit => Err(syn::Error::new(
                input.ident.span(),
                "a struct without a body has no value but null: write `struct Nothing {}`",
            )),
        },
        Data::Enum(data) => {
            let is_plain = data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
            let is_text = is_plain && !container.is_tagged && !container.is_converted;
            let ty: Option<Type> = is_text.then(|| syn::parse_quote!(::std::string::String));
            Ok(of_value(&input.ident, ty.as_ref(), &klient))
        }
        Data::Union(_) => {
            Err(syn::Error::new(input.ident.span(), "a union has no JSON: use a struct or an enum"))
        }
    }
}

/// A type that fields are set to as it is: its JSON is that of another type, or any.
fn of_value(ident: &Ident, as_type: Option<&Type>, klient: &TokenStream) -> TokenStream {
    let custom = quote!(#klient::apply::custom);
    let value_type = match as_type {
        Some(ty) => quote_spanned!(ty.span()=> <#ty as #klient::apply::Configurable>::value_type()),
        None => quote!(#custom::Type::Json),
    };
    quote! {
        #[automatically_derived]
        impl #custom::IntoJson for #ident {
            fn into_json(self) -> #custom::Value {
                #custom::json_of(&self)
            }
        }

        #[automatically_derived]
        impl #klient::apply::Configurable for #ident {
            type Configuration = Self;

            fn value_type() -> #custom::Type {
                #value_type
            }
        }
    }
}

/// The configuration of a specification.
pub(crate) fn of_specification(input: &DeriveInput, klient: &TokenStream) -> syn::Result<TokenStream> {
    of_struct(input, &Attributes::default(), klient)
}

fn of_struct(input: &DeriveInput, attributes: &Attributes, klient: &TokenStream) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else { return Ok(TokenStream::new()) };
    let container = Container::parse(&input.attrs);
    let (object, visibility) = (&input.ident, &input.vis);
    let is_kind = attributes.scope.is_some();
    // As `custom_resource!` declares it.
    if !is_kind && ["metadata", "received"].iter().all(|name| data.fields.iter().any(|field| is(field, name)))
    {
        let message = "this is a kind, whose configuration has a name: add #[apply(scope = Namespaced)], or Cluster, as the kind \
                       is declared";
        return Err(syn::Error::new(object.span(), message));
    }
    let name = object.to_string();
    let configuration = format_ident!("{}ApplyConfiguration", object);
    let custom = quote!(#klient::apply::custom);
    let (mut shapes, mut setters) = (Vec::new(), Vec::new());
    for field in &data.fields {
        let of_serde = serde_attributes::Field::parse(&field.attrs);
        let Some(ident) = &field.ident else { continue };
        if of_serde.is_skipped || (is_kind && ident == "metadata") {
            continue;
        }
        let part = Part {
            ident,
            field,
            json: container.json_name(&of_serde, ident),
            markers: Markers::parse(&field.attrs, Some(&field.ty))?,
            of_serde,
            klient,
        };
        shapes.push(part.shape());
        setters.push(part.setter(is_kind));
    }
    let docs = format!("Configuration of [`{name}`] for server-side apply.");
    let subject = match &attributes.scope {
        Some(_) => quote!(KNOWN.kind::<#object>(&[#(#shapes),*])),
        None => {
            let is_atomic = attributes.is_atomic;
            quote!(KNOWN.part(#name, &[#(#shapes),*], #is_atomic))
        }
    };
    let declaration = match &attributes.scope {
        Some(scope) => {
            let check = quote_spanned! {scope.span()=>
                const _: fn() = || {
                    fn is_of_scope<K: #custom::Resource<Scope = #custom::#scope>>() {}
                    is_of_scope::<#object>();
                };
            };
            quote! {
                #klient::apply::kind_configuration! {
                    #[doc = #docs]
                    #[allow(dead_code, reason = "a program applies the kinds that it has")]
                    #visibility #configuration: #scope, #object
                }
                #klient::apply::metadata! { #configuration }
                #check
            }
        }
        None => quote! {
            #klient::apply::part_configuration! {
                #[doc = #docs]
                #[allow(dead_code, reason = "a program applies the kinds that it has")]
                #visibility #configuration
            }
        },
    };
    let configurable = (!is_kind).then(|| {
        quote! {
            #[automatically_derived]
            impl #klient::apply::Configurable for #object {
                type Configuration = #configuration;

                fn value_type() -> #custom::Type {
                    KNOWN.part_type(<#configuration as #custom::Described>::subject)
                }
            }
        }
    });
    Ok(quote! {
        #declaration

        #[allow(dead_code, reason = "a program sets the fields that it has")]
        impl #configuration {
            #(#setters)*
        }

        const _: () = {
            static KNOWN: #custom::Known = #custom::Known::new();

            #[automatically_derived]
            impl #custom::Described for #configuration {
                fn subject() -> &'static #custom::Subject {
                    #subject
                }
            }

            #configurable
        };
    })
}

fn is(field: &Field, name: &str) -> bool {
    field.ident.as_ref().is_some_and(|ident| ident == name)
}

/// A field of a struct that has a configuration.
struct Part<'a> {
    ident: &'a Ident,
    field: &'a Field,
    json: String,
    markers: Markers,
    of_serde: serde_attributes::Field,
    klient: &'a TokenStream,
}

impl Part<'_> {
    fn is_value(&self) -> bool {
        self.markers.is_value || self.of_serde.serialize_with.is_some()
    }

    /// The type of the field, for the table of the struct.
    fn shape(&self) -> TokenStream {
        let (json, ty, klient) = (&self.json, &self.field.ty, self.klient);
        let custom = quote!(#klient::apply::custom);
        let mut shape = match self.is_value() {
            true => quote!(#custom::Shape::any(#json)),
            false => quote_spanned!(ty.span()=> #custom::Shape::of::<#ty>(#json)),
        };
        let list_type = self.markers.list_type.as_ref().map(syn::LitStr::value);
        let keys = &self.markers.list_map_keys;
        match list_type.as_deref() {
            Some("set") => shape.extend(quote!(.list(#custom::ListType::Set))),
            Some("map") => shape.extend(quote!(.list(#custom::ListType::Map(&[#(#keys),*])))),
            _ => {}
        }
        match self.markers.map_type.as_ref().map(syn::LitStr::value).as_deref() {
            Some("atomic") => shape.extend(quote!(.atomic())),
            Some(_) => shape.extend(quote!(.granular())),
            None => {}
        }
        if self.of_serde.is_flattened {
            shape.extend(quote!(.flattened()));
        }
        shape
    }

    /// The method that sets the field.
    fn setter(&self, is_kind: bool) -> TokenStream {
        let Part { ident, field, json, klient, .. } = self;
        let taken = if is_kind { &TAKEN[..] } else { &TAKEN[..TAKEN_ALWAYS] };
        let method = match taken.iter().any(|taken| *ident == taken) {
            true => format_ident!("{}_", ident, span = ident.span()),
            false => (*ident).clone(),
        };
        let (visibility, ty) = (&field.vis, bare(&field.ty));
        let (parameter, body) = if let Some(path) = &self.of_serde.serialize_with {
            let ty = &field.ty;
            let body = quote! {{
                struct Written(#ty);
                impl #klient::apply::custom::serde::Serialize for Written {
                    fn serialize<S: #klient::apply::custom::serde::Serializer>(
                        &self,
                        serializer: S,
                    ) -> ::std::result::Result<S::Ok, S::Error> {
                        #path(&self.0, serializer)
                    }
                }
                self.0.set_value(#json, &Written(value))
            }};
            (quote!(value: #ty), body)
        } else if self.markers.is_value {
            (quote!(value: #ty), quote!(self.0.set_value(#json, &value)))
        } else if self.of_serde.is_flattened {
            let (accepted, held) = self.value(ty);
            let json = quote!(<#held as #klient::apply::custom::IntoJson>::into_json(value));
            (quote!(value: #accepted), quote!(self.0.set_flattened(#json)))
        } else {
            match Shape::of(&field.ty) {
                Shape::List(item) => {
                    let (accepted, held) = self.value(item);
                    (
                        quote!(items: impl ::std::iter::IntoIterator<Item = #accepted>),
                        quote!(self.0.append::<#held>(#json, items)),
                    )
                }
                Shape::Map(item) => {
                    let (accepted, held) = self.value(item);
                    let key = quote!(impl ::std::convert::Into<::std::string::String>);
                    (
                        quote!(entries: impl ::std::iter::IntoIterator<Item = (#key, #accepted)>),
                        quote!(self.0.merge::<#held>(#json, entries)),
                    )
                }
                Shape::One(ty) => {
                    let (accepted, held) = self.value(ty);
                    (quote!(value: #accepted), quote!(self.0.set::<#held>(#json, value)))
                }
            }
        };
        let docs: Vec<_> = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
        let gap = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        let name = format!("`{json}`.");
        quote! {
            #(#docs)*
            #gap
            #[doc = #name]
            #[inline]
            #visibility fn #method(self, #parameter) -> Self {
                Self(#body)
            }
        }
    }

    /// The type of a parameter for a value, and the type of its configuration.
    fn value(&self, ty: &Type) -> (TokenStream, TokenStream) {
        let klient = self.klient;
        if is_number(ty) {
            return (quote!(#ty), quote!(#ty));
        }
        let held = quote_spanned!(ty.span()=> <#ty as #klient::apply::Configurable>::Configuration);
        match is_into(ty) {
            true => (quote!(impl ::std::convert::Into<#held>), held),
            false => (held.clone(), held),
        }
    }
}
