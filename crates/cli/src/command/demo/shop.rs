//! [`Shop`], the application of the demo.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::apps::v1::Deployment;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{InNamespace, Object, ResourceInfo, Unstructured};
use klient_client::{
    Api, Client, DeleteOptions, DynamicPlace, Error, ListOptions, Patch, Watch, WatchEvent, WatchOptions,
    retry_on_conflict,
};
use klient_workqueue::Backoff;
use serde_json::{Value, json};

use super::environment::DEFINITION;
use crate::error::CliError;
use crate::session::Session;

/// Limit for a change to appear in a cache or a watch.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) const NAME: &str = "storefront";
pub(super) const COUPON: ResourceInfo =
    ResourceInfo::from_static("shop.example", "v1", "Coupon", "coupons", true);

/// Handles for the application: typed ones for built-in kinds, a dynamic one for its custom resource.
pub(super) struct Shop {
    deployments: Api<Deployment, InNamespace>,
    config_maps: Api<ConfigMap, InNamespace>,
    coupons: Api<Unstructured, DynamicPlace>,
}

impl Shop {
    /// Returns the handles, once the custom resource is served.
    pub(super) async fn open(client: &Client, namespace: &str) -> Result<Self, CliError> {
        let established = tokio::time::timeout(TIMEOUT, wait_established(client));
        established.await.map_err(|_| {
            let seconds = TIMEOUT.as_secs();
            CliError::Message(format!(
                "customresourcedefinition {DEFINITION} is not established after {seconds} s; run the demo again"
            ))
        })??;
        Ok(Shop {
            deployments: client.api::<Deployment>().namespace(namespace),
            config_maps: client.api::<ConfigMap>().namespace(namespace),
            coupons: client.dynamic(COUPON).namespace(namespace),
        })
    }

    /// Lists the objects of the application.
    pub(super) async fn list(&self, session: &mut Session) -> Result<(), CliError> {
        session.console.println("\nLists of typed and dynamic objects:")?;
        for deployment in self.deployments.list(&ListOptions::default()).await? {
            session.console.println(format_args!("  {}", deployment_line(&deployment)))?;
        }
        for coupon in self.coupons.list(&ListOptions::default()).await? {
            session.console.println(format_args!("  {}", coupon_line(&coupon)))?;
        }
        Ok(())
    }

    /// Starts watches, changes the application, and prints the events.
    pub(super) async fn follow(&self, session: &mut Session) -> Result<(), CliError> {
        session.console.println("\nWatch events of changes by the program:")?;
        let begin = WatchOptions { allow_bookmarks: true, ..WatchOptions::default() };
        let from = |version: &str| WatchOptions { resource_version: Some(version.into()), ..begin.clone() };

        let list = self.deployments.list(&ListOptions::default()).await?;
        let mut deployments = self.deployments.watch(&from(list.resource_version())).await?;
        let more = Patch::Merge(json!({"spec": {"replicas": 5}}));
        let patched = self.deployments.patch(NAME, &more).await?;
        print_events(&mut deployments, is_event_of(&patched), deployment_line, session).await?;

        let list = self.config_maps.list(&ListOptions::default()).await?;
        let mut config_maps = self.config_maps.watch(&from(list.resource_version())).await?;
        let updated = self.update_greeting().await?;
        print_events(&mut config_maps, is_event_of(&updated), config_map_line, session).await?;

        let list = self.coupons.list(&ListOptions::default()).await?;
        let mut coupons = self.coupons.watch(&from(list.resource_version())).await?;
        let cheaper = Patch::Merge(json!({"spec": {"percent": 50}}));
        let patched = self.coupons.patch("winter", &cheaper).await?;
        print_events(&mut coupons, is_event_of(&patched), coupon_line, session).await?;
        self.coupons.delete("welcome", &DeleteOptions::default()).await?;
        let is_last = |event: &WatchEvent<Unstructured>| matches!(event, WatchEvent::Deleted(coupon) if coupon.name() == "welcome");
        print_events(&mut coupons, is_last, coupon_line, session).await
    }

    /// Updates the greeting with a read and a write, repeated after a conflict.
    async fn update_greeting(&self) -> Result<ConfigMap, Error> {
        retry_on_conflict(Backoff::DEFAULT_RETRY, async || {
            let mut config_map = self.config_maps.get(NAME).await?;
            config_map.data.insert("banner", "Winter sale".into());
            self.config_maps.update(&config_map).await
        })
        .await
    }
}

/// Waits until the definition is `Established`.
async fn wait_established(client: &Client) -> Result<(), CliError> {
    let options = WatchOptions {
        field_selector: Some(format!("metadata.name={DEFINITION}").into()),
        ..WatchOptions::default()
    };
    // A watch without a resource version begins with the existing objects.
    let mut watch = client.api::<CustomResourceDefinition>().watch(&options).await?;
    while let Some(event) = watch.next().await {
        if let WatchEvent::Added(definition) | WatchEvent::Modified(definition) = event?
            && is_established(&definition)
        {
            return Ok(());
        }
    }
    Err(watch_ended())
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition.status.conditions.iter();
    conditions.into_iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
}

/// Prints the events of a watch up to a given one.
async fn print_events<K: Wire>(
    watch: &mut Watch<K>,
    last: impl Fn(&WatchEvent<K>) -> bool,
    line: impl Fn(&K) -> String,
    session: &mut Session,
) -> Result<(), CliError> {
    loop {
        let Ok(event) = tokio::time::timeout(TIMEOUT, watch.next()).await else {
            let seconds = TIMEOUT.as_secs();
            return Err(CliError::Message(format!(
                "the watch did not show within {seconds} s what was written; run the demo again"
            )));
        };
        let Some(event) = event else { return Err(watch_ended()) };
        let event = event?;
        let (word, object) = match &event {
            WatchEvent::Added(object) => ("ADDED   ", object),
            WatchEvent::Modified(object) => ("MODIFIED", object),
            WatchEvent::Deleted(object) => ("DELETED ", object),
            WatchEvent::Error(status) => {
                return Err(CliError::message(status.message.as_deref().unwrap_or("the watch has failed")));
            }
            _ => continue,
        };
        session.console.println(format_args!("  {word} {}", line(object)))?;
        if last(&event) {
            return Ok(());
        }
    }
}

/// Returns true if an event has the resource version of a write.
fn is_event_of<K: Object>(written: &K) -> impl Fn(&WatchEvent<K>) -> bool {
    let version = written.resource_version().to_owned();
    move |event| matches!(event, WatchEvent::Modified(object) if object.resource_version() == version)
}

fn watch_ended() -> CliError {
    CliError::message("the server ended the watch before the expected event; run the demo again")
}

pub(super) fn deployment_line(deployment: &Deployment) -> String {
    let name = deployment.name();
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let ready = deployment.status.ready_replicas.unwrap_or(0);
    format!("Deployment {name}: {ready} of {wanted} replicas ready")
}

fn config_map_line(config_map: &ConfigMap) -> String {
    let banner = config_map.data.get("banner").map_or("", |banner| banner.as_str());
    format!("ConfigMap {}: banner {}", config_map.name(), quoted(banner))
}

pub(super) fn coupon_line(coupon: &Unstructured) -> String {
    let code = coupon.at(&["spec", "code"]).and_then(Value::as_str).unwrap_or_default();
    let percent = coupon.at(&["spec", "percent"]).and_then(Value::as_i64).unwrap_or_default();
    format!("Coupon {}: {code} gives {percent} %", coupon.name())
}
