//! The derive macros of klient: [`CustomResource`], [`ApplyConfiguration`] and [`ResourceSchema`].

mod apply;
mod attributes;
mod expand;
mod markers;
mod name;
mod schema;
mod serde_attributes;
mod shape;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes the struct of a specification a custom resource.
///
/// It declares a struct for the objects, as [`custom_resource!`](https://docs.rs/klient/latest/klient/macro.custom_resource.html)
/// does, with the fields `metadata`, `spec` and `status`, and writes its CustomResourceDefinition. The struct has
/// `Clone`, `Debug`, `Default`, serde's traits and schemars' `JsonSchema`; `klient` with its feature `derive`, `serde` and
/// `schemars = "1"` are dependencies of the program.
///
/// ```
/// use klient::{ApplyConfiguration, CustomResource};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
/// #[resource(group = "example.com", version = "v1", status = WebsiteStatus, apply)]
/// #[serde(rename_all = "camelCase")]
/// pub struct WebsiteSpec {
///     pub replicas: u32,
///     #[resource(list_type = "map", list_map_keys("name"))]
///     pub parts: Vec<Part>,
/// }
///
/// #[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
/// pub struct Part {
///     pub name: String,
/// }
///
/// #[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
/// pub struct WebsiteStatus {
///     pub ready: u32,
/// }
///
/// # fn main() -> Result<(), klient::definitions::Error> {
/// let website = Website::new("shop", WebsiteSpec { replicas: 2, parts: Vec::new() });
/// let definition = Website::definition().build()?;
/// let configuration = WebsiteApplyConfiguration::new("shop", "default")
///     .spec(WebsiteSpecApplyConfiguration::new().replicas(3));
/// # assert_eq!(website.spec.replicas, 2);
/// # assert_eq!(definition.spec.names.plural, "websites");
/// # assert_eq!(configuration.into_value()["spec"], klient::json!({"replicas": 3}));
/// # Ok(()) }
/// ```
///
/// # Attributes of the struct
///
/// | `#[resource(…)]` | meaning |
/// |---|---|
/// | `group = "example.com"` | the API group; required |
/// | `version = "v1"` | the version; required |
/// | `kind = "Website"` | the kind, and the name of the struct of its objects; that of this struct without `Spec` by default |
/// | `plural = "websites"` | the plural; the English one of the kind by default |
/// | `singular = "website"` | the singular; the kind in lower case by default |
/// | `short_name = "web"` | an abbreviation; may be repeated |
/// | `category = "all"` | a group of resources that lists it, too; may be repeated |
/// | `label("app", "web")`, `annotation("example.com/team", "web")` | a label or annotation of the definition; may be repeated |
/// | `scope = Cluster` | `Namespaced` by default |
/// | `status = WebsiteStatus` | the type of the status, with the subresource `status` |
/// | `scale(spec = ".spec.replicas", status = ".status.replicas")` | the subresource `scale`, perhaps with a `selector` |
/// | `column(name = "Pages", type = "integer", path = ".status.pages")` | a column of `kubectl get`, perhaps with `description`, `format` and `priority = 1`; may be repeated |
/// | `selectable_field = ".spec.color"` | a field that field selectors may name; may be repeated |
/// | `rule("self.spec.replicas < 9", message = "too many")` | a rule in CEL for the object, perhaps with `message_expression`, `reason`, `field_path` and `optional_old_self`; may be repeated |
/// | `deprecated` or `deprecated = "use v2"` | a warning for all requests |
/// | `not_served` | the version is in the definition and is not served |
/// | `apply` | the apply configurations of the kind and of this struct: see [`ApplyConfiguration`](macro@ApplyConfiguration), which the structs in it and the status derive |
/// | `derive(PartialEq)` | more traits of the struct of the objects |
/// | `klient = path::to::klient` | another path of the crate `klient` |
///
/// # Attributes of fields
///
/// The markers of [`ResourceSchema`](macro@ResourceSchema). Structs within this one have them by that derive, which they have
/// in place of `JsonSchema`, since it writes that trait, too.
///
/// # What is checked when
///
/// The compiler checks names and forms. Rules in CEL, paths and schemas are checked by the server's rules when the
/// definition is built, so that a test finds what is wrong:
///
/// ```ignore
/// #[test]
/// fn the_definition_is_valid() {
///     Website::definition().build().unwrap();
/// }
/// ```
///
/// As for the server, a path of a column or of `scale` need not be a field of the schema: it shows nothing then.
#[proc_macro_derive(CustomResource, attributes(resource, apply))]
pub fn custom_resource(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::custom_resource(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes an apply configuration of a struct: `PartApplyConfiguration` of `Part`, in which nothing is set that was not said.
///
/// It is like those of built-in kinds in `klient::apply`: a JSON map with a setter for each field. The setter has the name
/// and the visibility of the field. It takes the configuration of the field's type, which is the type itself for scalars
/// and enums; the items of a list, which are appended; the entries of a map, which are merged. `Option` and `Box` are taken
/// off. Fields that serde skips have none, and those that it flattens set the fields of their value. The names are those of
/// serde's attributes, also of a struct without serde's derives.
///
/// ```
/// use klient::ApplyConfiguration;
/// use klient::api::core::v1::ResourceRequirements;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
/// #[serde(rename_all = "camelCase")]
/// pub struct Part {
///     pub name: String,
///     pub page_count: Option<u32>,
///     pub theme: Theme,
///     pub resources: ResourceRequirements,
/// }
///
/// #[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
/// pub enum Theme {
///     #[default]
///     Light,
///     Dark,
/// }
///
/// # fn main() {
/// let part = PartApplyConfiguration::new()
///     .name("front")
///     .page_count(3)
///     .theme(Theme::Dark)
///     .resources(klient::apply::core::v1::ResourceRequirements::new());
/// assert_eq!(part.into_value()["pageCount"], 3);
/// # }
/// ```
///
/// An enum, a struct around one value such as `struct Port(u16)`, and one that is `#[serde(transparent)]` are set as a whole: they
/// are their own configuration, and the derive makes no other type.
///
/// # Attributes
///
/// | `#[apply(…)]` of a field | meaning |
/// |---|---|
/// | `value` | the field is set as a whole, to a value of its type, which need not have a configuration then |
/// | `list_type`, `list_map_keys`, `map_type`, `struct_type` | as in `#[resource(…)]`, if the struct has no schema: `extract` needs them |
///
/// | `#[apply(…)]` of a struct | meaning |
/// |---|---|
/// | `scope = Namespaced` | it is a kind, which `custom_resource!` declares, in the scope that it has there: the configuration has `new`, setters of the metadata, `from_yaml`, `extract` and what else those of built-in kinds have |
/// | `struct_type = "atomic"` | server-side apply treats it as one value |
/// | `klient = path::to::klient` | another path of the crate `klient` |
#[proc_macro_derive(ApplyConfiguration, attributes(apply, serde))]
pub fn apply_configuration(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    apply::apply_configuration(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes the JSON schema of a struct or enum, as schemars' `JsonSchema` does, which it takes the place of, with Kubernetes' markers.
///
/// ```
/// use klient::ResourceSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
/// #[resource(rule("self.min <= self.max", message = "min is above max"))]
/// pub struct Limits {
///     #[resource(default = 1)]
///     pub min: u32,
///     #[resource(rule("self < 100", message = "at most 99", reason = "FieldValueForbidden"))]
///     pub max: u32,
///     #[resource(list_type = "set")]
///     pub tags: Vec<String>,
/// }
/// # fn main() {
/// # let schema = klient::definitions::schema_of::<Limits>();
/// # assert_eq!(schema.as_value()["properties"]["min"]["default"], 1);
/// # }
/// ```
///
/// # Attributes
///
/// | `#[resource(…)]` of a field or struct | meaning |
/// |---|---|
/// | `rule("self < 100", message = "at most 99")` | a rule in CEL for the value, perhaps with `message_expression`, `reason`, `field_path` and `optional_old_self`; may be repeated |
/// | `list_type = "map"` | by which server-side apply tells items apart: `"atomic"` (not at all), `"set"` or `"map"`; fields only |
/// | `list_map_keys("name")` | the fields by which items of a list of type `"map"` are told apart; fields only |
/// | `map_type = "atomic"` | server-side apply treats the map as one value |
/// | `struct_type = "atomic"` | the same for a struct |
/// | `default = 3` | the value, in JSON, that the server gives to a field that is absent |
/// | `preserve_unknown_fields` | fields that the schema does not have are kept |
/// | `embedded_resource` | the value is a whole object, with `apiVersion`, `kind` and `metadata` |
/// | `int_or_string` | the value is an integer or a string |
/// | `nullable` | the value may be null |
///
/// The rest of a schema comes from serde's and schemars' attributes, such as `#[schemars(range(max = 9))]`.
#[proc_macro_derive(ResourceSchema, attributes(resource, schemars, serde))]
pub fn resource_schema(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    schema::resource_schema(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}
