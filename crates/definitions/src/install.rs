//! [`Definitions`]: the installation of definitions in a cluster.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_apiextensions::definition;
use klient_apimachinery::{ListOptions, ObjectKey, Resource as _, ResourceInfo, Str, Unstructured};
use klient_client::{Api, ApplyOptions, Client};
use klient_controller::wait::{WaitOptions, conditions, wait_for};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::definition::Definition;
use crate::error::Error;
use crate::lost_fields::lost_fields;

/// The time between looks whether a resource is served.
const PAUSE: Duration = Duration::from_millis(100);

/// Options of [`Definitions::install`].
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// The field manager of the definitions; `klient-definitions` by default.
    pub field_manager: Str,
    /// Takes fields from other managers, as after an installation by kubectl or helm. Without it that is a conflict.
    pub force: bool,
    /// Installs a definition that drops fields of stored objects. Without it that is an error with the fields.
    pub drop_fields: bool,
    /// The time for all definitions to be served; 30 s by default.
    pub timeout: Duration,
}

impl Default for InstallOptions {
    fn default() -> Self {
        InstallOptions {
            field_manager: "klient-definitions".into(),
            force: false,
            drop_fields: false,
            timeout: Duration::from_secs(30),
        }
    }
}

/// A definition that is served.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The definition, as the server has it.
    pub definition: CustomResourceDefinition,
    /// The objects that the stored version of the schema does not allow, each with the reason. They can be read, and not be
    /// written unless that mends them.
    pub invalid: Vec<(ObjectKey, String)>,
    /// The reason why the objects could not be looked at, such as a conversion webhook that does not answer. The definition
    /// is installed, and [`invalid`](Self::invalid) is empty.
    pub unchecked: Option<Error>,
}

/// The installation of definitions in a cluster.
#[derive(Debug)]
pub enum Definitions {}

impl Definitions {
    /// Applies definitions, and waits until each is established and served.
    ///
    /// All are checked before any is sent. One that the cluster has already, and whose stored version would drop fields of
    /// objects, is refused unless the options say so.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_apimachinery::custom_resource;
    /// use klient_client::{Client, Config};
    /// use klient_definitions::{Declaration, Definition, Definitions, schema_of};
    ///
    /// custom_resource! {
    ///     group: "example.com", version: "v1", kind: "Website", plural: "websites",
    ///     scope: Namespaced, subresources: [];
    ///
    ///     pub struct Website {
    ///         pub spec: std::collections::BTreeMap<String, String>,
    ///     }
    /// }
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// // As `#[derive(CustomResource)]` does.
    /// let spec = Some(schema_of::<std::collections::BTreeMap<String, String>>());
    /// let definition = Definition::new::<Website>(Declaration { spec, ..Default::default() });
    /// let installed = Definitions::install(&client, [definition], &Default::default()).await?;
    /// assert!(installed[0].invalid.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Definition::build`]. If fields would be dropped, with their paths. If the server refuses a definition, or
    /// cannot be reached, or has not served all within the time of the options. Objects that cannot be looked at are no
    /// error: [`Installed::unchecked`] tells why.
    pub async fn install(
        client: &Client,
        definitions: impl IntoIterator<Item = Definition>,
        options: &InstallOptions,
    ) -> Result<Vec<Installed>, Error> {
        let definitions: Vec<_> = definitions.into_iter().collect();
        let mut built = Vec::new();
        for definition in &definitions {
            built.push((definition, definition.object()?));
        }
        let api = client.api::<CustomResourceDefinition>();
        if !options.drop_fields {
            for (definition, object) in &built {
                let name = definition.name();
                let present = api.get_opt(name).await.map_err(|error| Error::failed(name, error))?;
                if let Some(present) = present {
                    check_fields(name, &present, object)?;
                }
            }
        }
        let begun = Instant::now();
        let mut apply = ApplyOptions::new(options.field_manager.clone());
        if options.force {
            apply = apply.force();
        }
        let of_any = client.dynamic(CustomResourceDefinition::INFO);
        for (definition, object) in &built {
            let applied = of_any.apply(&Unstructured(object.clone()), &apply).await;
            applied.map_err(|error| match error.is_conflict() {
                true => Error::failed(
                    definition.name(),
                    format!("{error}; set InstallOptions::force to take the fields from their managers"),
                ),
                false => Error::failed(definition.name(), error),
            })?;
        }
        let mut installed = Vec::new();
        for (definition, _) in &built {
            let end = options.timeout.saturating_sub(begun.elapsed());
            installed.push(served(client, &api, definition.name(), end).await?);
        }
        Ok(installed)
    }
}

/// Checks that a definition drops no field of objects that the present one stores.
fn check_fields(
    name: &str,
    present: &CustomResourceDefinition,
    object: &Map<String, Value>,
) -> Result<(), Error> {
    let present = Unstructured::from_typed(present);
    let versions = |object: &Map<String, Value>| {
        let versions = object.get("spec").and_then(|spec| spec["versions"].as_array());
        versions.cloned().unwrap_or_default()
    };
    let schema = |version: &Value| version["schema"]["openAPIV3Schema"].clone();
    let Some(stored) = versions(&present.0).into_iter().find(|version| version["storage"] == true) else {
        return Ok(());
    };
    let new = versions(object);
    // Objects are read by the schema of the version that is stored from now on, or, with a webhook, by that of their own.
    let is_converted = object.get("spec").is_some_and(|spec| spec["conversion"]["strategy"] == "Webhook");
    let reads = |version: &&Value| match is_converted {
        true => version["name"] == stored["name"],
        false => version["storage"] == true,
    };
    let Some(stored_next) = new.iter().find(reads) else { return Ok(()) };
    let lost = lost_fields(&schema(&stored), &schema(stored_next));
    if lost.is_empty() {
        return Ok(());
    }
    let remedy = match stored_next["name"] == stored["name"] {
        true => "keep them in the schema",
        false => "convert objects by Definition::conversion_webhook, keep the fields in the schema",
    };
    Err(Error::new(
        name,
        vec![format!(
            "it drops fields that objects may have in the cluster: {}; {remedy}, or set InstallOptions::drop_fields",
            lost.join(", ")
        )],
    ))
}

/// Waits until a definition is established and its resource is served, and looks for objects that it does not allow.
async fn served(
    client: &Client,
    definitions: &Api<CustomResourceDefinition>,
    name: &str,
    timeout: Duration,
) -> Result<Installed, Error> {
    let end = Instant::now() + timeout;
    let wait = WaitOptions { timeout, ..Default::default() };
    let established = wait_for(definitions, name, conditions::established(), wait).await;
    let definition = established.map_err(|error| Error::failed(name, error))?.unwrap_or_default();
    let object = Unstructured::from_typed(&definition).0;
    let Some(parsed) = definition::Definition::parse(&object) else {
        return Err(Error::failed(name, "the server has no names of it"));
    };
    let Some(stored) = parsed.versions.iter().find(|version| version.storage && version.served) else {
        return Ok(Installed { definition, invalid: Vec::new(), unchecked: None });
    };
    let info = ResourceInfo {
        group: parsed.group.clone().into(),
        version: stored.name.clone().into(),
        kind: parsed.kind.clone().into(),
        plural: parsed.plural.clone().into(),
        namespaced: parsed.namespaced,
    };
    let objects = client.dynamic(info);
    let objects = loop {
        match objects.list_all(&ListOptions::default()).await {
            Ok(objects) => break objects,
            // The server serves it a moment after it has said so.
            Err(error) if error.is_not_found() && Instant::now() < end => tokio::time::sleep(PAUSE).await,
            Err(error) if error.is_not_found() => return Err(Error::failed(name, error)),
            Err(error) => {
                let unchecked = Some(Error::failed(name, format!("its objects cannot be checked: {error}")));
                return Ok(Installed { definition, invalid: Vec::new(), unchecked });
            }
        }
    };
    let mut invalid = Vec::new();
    for object in objects.items {
        let problems = stored.validate(&object.0, Vec::new());
        if !problems.is_empty() {
            let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            invalid.push((ObjectKey::of(&object), problems));
        }
    }
    Ok(Installed { definition, invalid, unchecked: None })
}
