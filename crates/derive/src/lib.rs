//! The derive macro of klient: [`CustomResource`].

mod attributes;
mod expand;
mod name;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes the struct of a specification a custom resource.
///
/// It declares a struct for the objects, as [`custom_resource!`](https://docs.rs/klient/latest/klient/macro.custom_resource.html)
/// does, with the fields `metadata`, `spec` and `status`, and writes its CustomResourceDefinition. The struct has
/// `Clone`, `Debug`, `Default`, serde's traits and schemars' `JsonSchema`; `klient`, `serde` and `schemars` are dependencies of
/// the program.
///
/// ```ignore
/// #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
/// #[resource(group = "example.com", version = "v1", status = WebsiteStatus)]
/// #[serde(rename_all = "camelCase")]
/// pub struct WebsiteSpec {
///     pub replicas: u32,
/// }
///
/// let website = Website::new("shop", WebsiteSpec { replicas: 2 });
/// let definition = Website::definition().build()?;
/// ```
///
/// # Attributes
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
/// | `scope = Cluster` | `Namespaced` by default |
/// | `status = WebsiteStatus` | the type of the status, with the subresource `status` |
/// | `scale(spec = ".spec.replicas", status = ".status.replicas")` | the subresource `scale`, perhaps with a `selector` |
/// | `column(name = "Pages", type = "integer", path = ".status.pages")` | a column of `kubectl get`, perhaps with `description`, `format` and `priority = 1`; may be repeated |
/// | `selectable_field = ".spec.color"` | a field that field selectors may name; may be repeated |
/// | `rule("self.spec.replicas < 9", message = "too many")` | a rule in CEL for the object, perhaps with `message_expression`, `reason`, `field_path` and `optional_old_self`; may be repeated |
/// | `deprecated` or `deprecated = "use v2"` | a warning for all requests |
/// | `not_served` | the version is in the definition and is not served |
/// | `derive(PartialEq)` | more traits of the struct of the objects |
/// | `klient = path::to::klient` | another path of the crate `klient` |
#[proc_macro_derive(CustomResource, attributes(resource))]
pub fn custom_resource(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::custom_resource(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}
