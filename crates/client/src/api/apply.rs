//! Server-side apply: a client declares the fields of an object that it manages, and their values.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, ApplyConfiguration, BoxFuture, Object, Place, Str, verbs};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Api, Endpoint};
use crate::error::{Error, ErrorKind};
use crate::rest::Request;

/// The form of a configuration. JSON is YAML.
const APPLY_PATCH: &str = "application/apply-patch+yaml";

/// Options of server-side apply.
///
/// ```
/// use klient_client::ApplyOptions;
/// let options = ApplyOptions::new("web-controller").force();
/// ```
#[doc(alias = "PatchParams")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyOptions {
    field_manager: Str,
    force: bool,
    dry_run: bool,
}

impl ApplyOptions {
    /// Options for a field manager, the name under which the server records the ownership of fields. A program must use
    /// the same name in every apply, at most 128 bytes, or it conflicts with itself.
    pub fn new(field_manager: impl Into<Str>) -> Self {
        ApplyOptions { field_manager: field_manager.into(), force: false, dry_run: false }
    }

    /// Takes fields from other managers that set them to another value, which is a conflict otherwise. Controllers
    /// should set it.
    pub fn force(self) -> Self {
        ApplyOptions { force: true, ..self }
    }

    /// Do everything but store the object.
    pub fn dry_run(self) -> Self {
        ApplyOptions { dry_run: true, ..self }
    }
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Applies a configuration: creates the object, or sets the fields of the configuration, and returns the result.
    /// Fields that the field manager applied before and that are missing now are removed, unless others own them.
    ///
    /// Of the handle's own [`WriteOptions`](crate::WriteOptions), `dry_run` and `field_validation` count here too;
    /// the field manager is that of `options`.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if another manager owns a field that would change, without
    /// [`force`](ApplyOptions::force); [`causes`](Error::causes) lists managers and fields.
    /// [`is_invalid`](Error::is_invalid) if it breaks a rule of its kind.
    ///
    /// [`ErrorKind::Request`], and nothing is sent, if there is no field manager, or the configuration is of another
    /// kind, names no object, or one in another namespace, or has `managedFields`, which only the server keeps.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::ConfigMap;
    /// use klient_applyconfigurations::core::v1 as apply;
    /// use klient_client::{ApplyOptions, Client, Config};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let config_maps = client.api::<ConfigMap>().namespace("default");
    ///
    /// let painter = ApplyOptions::new("painter");
    /// let colors = apply::ConfigMap::new("colors", "default").data([("sky", "blue"), ("sea", "green")]);
    /// config_maps.apply(&colors, &painter).await?;
    /// let colors = apply::ConfigMap::new("colors", "default").data([("sky", "grey")]);
    /// let applied = config_maps.apply(&colors, &painter).await?;
    /// assert_eq!(applied.data, [("sky", "grey")].into());
    /// # Ok(()) }
    /// ```
    // A boxed future is independent of `C`, so that the compiler reports a wrong type once.
    pub fn apply<C>(&self, configuration: &C, options: &ApplyOptions) -> BoxFuture<'static, Result<K, Error>>
    where
        C: ApplyConfiguration<Object = K>,
        K: verbs::Patch,
        P: Addressable,
    {
        let kind = self.endpoint.kind();
        let checked = self.endpoint.check("patch", true, Place::namespace(&self.place));
        let request =
            checked.and_then(|()| self.applying(configuration, Some((&kind.0, &kind.1)), None, options));
        Box::pin(async move { request?.fetch().await })
    }

    /// Applies a configuration to an object's status. Its other fields are ignored.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply), and [`is_not_found`](Error::is_not_found) if the object does not exist.
    pub fn apply_status<C>(
        &self,
        configuration: &C,
        options: &ApplyOptions,
    ) -> BoxFuture<'static, Result<K, Error>>
    where
        C: ApplyConfiguration<Object = K>,
        K: verbs::Status,
        P: Addressable,
    {
        let kind = self.endpoint.kind();
        let request = self.applying(configuration, Some((&kind.0, &kind.1)), Some("status"), options);
        Box::pin(async move { request?.fetch().await })
    }

    /// Applies a configuration to an object's scale: `autoscaling/v1`'s `Scale`, named as the object is.
    ///
    /// # Errors
    ///
    /// As [`apply_status`](Self::apply_status).
    pub fn apply_scale<C>(
        &self,
        configuration: &C,
        options: &ApplyOptions,
    ) -> BoxFuture<'static, Result<C::Object, Error>>
    where
        C: ApplyConfiguration<Object: Wire>,
        K: verbs::Scale,
        P: Addressable,
    {
        let kind = ("autoscaling/v1", "Scale");
        let request = self.applying(configuration, Some(kind), Some("scale"), options);
        Box::pin(async move { request?.fetch().await })
    }

    /// Applies a configuration to a subresource, such as a pod's `ephemeralcontainers`.
    ///
    /// # Errors
    ///
    /// As [`apply_status`](Self::apply_status), but for the kind, which is the server's to look at.
    pub fn apply_subresource<C>(
        &self,
        configuration: &C,
        subresource: &str,
        options: &ApplyOptions,
    ) -> BoxFuture<'static, Result<C::Object, Error>>
    where
        C: ApplyConfiguration<Object: Wire>,
        P: Addressable,
    {
        let request = self.applying(configuration, None, Some(subresource), options);
        Box::pin(async move { request?.fetch().await })
    }

    fn applying<C: ApplyConfiguration>(
        &self,
        configuration: &C,
        kind: Option<(&str, &str)>,
        subresource: Option<&str>,
        options: &ApplyOptions,
    ) -> Result<Request, Error> {
        let json = serde_json::to_vec(configuration);
        let json = json.map_err(|error| Error::new(ErrorKind::Request, self.endpoint.applied(""), error))?;
        let applied = Applied { json, kind, subresource, namespace: Place::namespace(&self.place) };
        applied.request(self.request(Method::PATCH), &self.endpoint, options)
    }
}

/// A configuration as it is sent.
struct Applied<'a> {
    json: Vec<u8>,
    /// The `apiVersion` and `kind` that it must have, if that is known.
    kind: Option<(&'a str, &'a str)>,
    subresource: Option<&'a str>,
    /// The namespace of the handle.
    namespace: Option<&'a str>,
}

/// Identity of a configuration.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    api_version: String,
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: Option<String>,
    managed_fields: Option<IgnoredAny>,
}

impl Applied<'_> {
    /// The request, begun with where the handle points.
    fn request(
        self,
        request: Request,
        endpoint: &Endpoint,
        options: &ApplyOptions,
    ) -> Result<Request, Error> {
        let head: Head = serde_json::from_slice(&self.json)
            .map_err(|error| Error::new(ErrorKind::Request, endpoint.applied(""), error))?;
        let name = &head.metadata.name;
        if let Some(problem) = self.problem(&head, endpoint, options) {
            return Err(Error::request(endpoint.applied(name), problem));
        }
        let mut request = request.name(name);
        if let Some(subresource) = self.subresource {
            endpoint.check_subresource(subresource, self.namespace)?;
            request = request.subresource(subresource);
        }
        if options.force {
            request = request.query("force", "true");
        }
        let request = endpoint.writing_as(request, Some(&options.field_manager), options.dry_run);
        Ok(request.body(APPLY_PATCH, self.json))
    }

    /// The error that is known without asking the server.
    fn problem(&self, head: &Head, endpoint: &Endpoint, options: &ApplyOptions) -> Option<String> {
        if options.field_manager.is_empty() {
            return Some(
                "the field manager is empty; say who applies, as in ApplyOptions::new(\"web-controller\")"
                    .into(),
            );
        }
        let given = (head.api_version.as_str(), head.kind.as_str());
        match (self.kind, given) {
            (_, ("", _)) => return Some("the configuration has no apiVersion".into()),
            (_, (_, "")) => return Some("the configuration has no kind".into()),
            (Some(wanted), _) if wanted != given => {
                return Some(format!(
                    "the configuration is of {} {}, and {} {} is wanted",
                    given.0, given.1, wanted.0, wanted.1
                ));
            }
            _ => {}
        }
        if head.metadata.name.is_empty() {
            return Some("the configuration has no metadata.name".into());
        }
        if head.metadata.managed_fields.is_some() {
            return Some(
                "the configuration has metadata.managedFields, which only the server keeps; take them out, or apply \
                 what `extract` gives of the object"
                    .into(),
            );
        }
        let given = head.metadata.namespace.as_deref().filter(|namespace| !namespace.is_empty())?;
        match self.namespace {
            _ if !endpoint.info.namespaced => Some(format!(
                "the configuration has metadata.namespace {given:?}, and the kind has no namespaces"
            )),
            Some(namespace) if namespace != given => Some(format!(
                "the configuration has metadata.namespace {given:?}, and the handle is to {namespace:?}"
            )),
            _ => None,
        }
    }
}

impl Endpoint {
    /// The operation, for errors before there is a request.
    fn applied(&self, name: &str) -> String {
        let slash = if name.is_empty() { "" } else { "/" };
        format!("apply {}{slash}{name}", self.info.group_resource())
    }

    /// The `apiVersion` and `kind` of the objects.
    fn kind(&self) -> (String, String) {
        (self.info.api_version(), self.info.kind.to_string())
    }
}
