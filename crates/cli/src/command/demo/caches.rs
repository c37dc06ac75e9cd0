//! The part of the demo that reads from caches.

use klient_api::apps::v1::Deployment;
use klient_apimachinery::Object;
use klient_cache::{Indexer, InformerFactory};
use klient_client::{Client, Patch};
use serde_json::json;

use super::shop::{COUPON, NAME, PATIENCE, coupon_line, deployment_line};
use crate::failure::Failure;
use crate::session::Session;

/// Keeps the application in caches, and reads it there: after a write, no less than what was written.
pub(super) async fn show(client: &Client, namespace: &str, session: &mut Session) -> Result<(), Failure> {
    session.console.line("\nKept in caches by informers, and read there without a request:")?;
    let factory = InformerFactory::builder(client.clone()).namespace(namespace).build();
    let deployments = factory.lister::<Deployment>();
    let coupons = factory.for_resource(&COUPON);
    let by_percent = Indexer::new(|coupon: &klient_cache::Cached<klient_apimachinery::Unstructured>| {
        Some(coupon.at(&["spec", "percent"])?.to_string())
    });
    coupons.add_indexer("percent", by_percent).map_err(failed)?;
    factory.start();
    match tokio::time::timeout(PATIENCE, factory.wait_for_sync()).await {
        Ok(synced) => synced.map_err(failed)?,
        Err(_) => return Err(Failure::message("the caches are not filled; run the demo again")),
    }
    for coupon in coupons.store().by_index("percent", "50").map_err(failed)? {
        session.console.line(format_args!("  {}", coupon_line(&coupon)))?;
    }

    let fewer = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let written = client.api::<Deployment>().namespace(namespace).patch(NAME, &fewer).await?;
    let coming = deployments.wait_for_resource_version(written.resource_version());
    match tokio::time::timeout(PATIENCE, coming).await {
        Ok(come) => come.map_err(failed)?,
        Err(_) => {
            return Err(Failure::message("what was written did not come into the cache; run the demo again"));
        }
    }
    if let Some(deployment) = deployments.namespace(namespace).get(NAME) {
        session.console.line(format_args!("  {}", deployment_line(&deployment)))?;
    }
    factory.shutdown().await;
    Ok(())
}

fn failed(error: klient_cache::Error) -> Failure {
    Failure::message(error.to_string())
}
