//! The demo of informers: listers, an index, and reads that wait for a resource version.

use klient_api::apps::v1::Deployment;
use klient_apimachinery::Object;
use klient_cache::{Indexer, InformerFactory};
use klient_client::{Client, Patch};
use serde_json::json;

use super::shop::{COUPON, NAME, TIMEOUT, coupon_line, deployment_line};
use crate::error::CliError;
use crate::session::Session;

/// Reads the application from the caches of informers, and a write once it has arrived there.
pub(super) async fn show(client: &Client, namespace: &str, session: &mut Session) -> Result<(), CliError> {
    session.console.println("\nObjects in the caches of informers, read without a request:")?;
    let factory = InformerFactory::builder(client.clone()).namespace(namespace).build();
    let deployments = factory.lister::<Deployment>();
    let coupons = factory.for_resource(&COUPON);
    let by_percent = Indexer::new(|coupon: &klient_cache::Cached<klient_apimachinery::Unstructured>| {
        Some(coupon.at(&["spec", "percent"])?.to_string())
    });
    coupons.add_indexer("percent", by_percent).map_err(failed)?;
    factory.start();
    match tokio::time::timeout(TIMEOUT, factory.wait_for_sync()).await {
        Ok(synced) => synced.map_err(failed)?,
        Err(_) => {
            return Err(CliError::message("the caches did not sync within 30 seconds; run the demo again"));
        }
    }
    for coupon in coupons.store().by_index("percent", "50").map_err(failed)? {
        session.console.println(format_args!("  {}", coupon_line(&coupon)))?;
    }

    let fewer = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let written = client.api::<Deployment>().namespace(namespace).patch(NAME, &fewer).await?;
    let coming = deployments.wait_for_resource_version(written.resource_version());
    match tokio::time::timeout(TIMEOUT, coming).await {
        Ok(come) => come.map_err(failed)?,
        Err(_) => {
            return Err(CliError::message(
                "an update did not appear in the cache within 30 seconds; run the demo again",
            ));
        }
    }
    if let Some(deployment) = deployments.namespace(namespace).get(NAME) {
        session.console.println(format_args!("  {}", deployment_line(&deployment)))?;
    }
    factory.shutdown().await;
    Ok(())
}

fn failed(error: klient_cache::Error) -> CliError {
    CliError::message(error.to_string())
}
