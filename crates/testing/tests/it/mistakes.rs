//! The well-known mistakes of controllers, each beside the same controller without it.

use std::sync::Arc;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::Object as _;
use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
use klient_cache::Cached;
use klient_client::{DeleteOptions, Error};
use klient_controller::Action;
use klient_testing::{CrashTest, FindingKind};

use crate::copies::{self, Context, life};

const FINALIZER: &str = "shop.example/copies";

fn secret(name: &str, config_map: &ConfigMap) -> Secret {
    let mut secret = Secret { metadata: ObjectMeta::named(name), ..Default::default() };
    secret.metadata.owner_references = vec![OwnerReference::controller_of(config_map)];
    secret.string_data = config_map.data.clone();
    secret
}

/// Creates two secrets, and takes the first for a sign that both exist.
async fn half(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
    let secrets = context.client.api::<Secret>().namespace("default");
    if context.secrets.get_in("default", "first").is_none() {
        secrets.create(&secret("first", &config_map)).await?;
        secrets.create(&secret("second", &config_map)).await?;
    }
    Ok(Action::done())
}

/// Creates each that is missing.
async fn whole(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
    let secrets = context.client.api::<Secret>().namespace("default");
    for name in ["first", "second"] {
        if context.secrets.get_in("default", name).is_none() {
            match secrets.create(&secret(name, &config_map)).await {
                Err(error) if !error.is_already_exists() => return Err(error),
                _ => {}
            }
        }
    }
    Ok(Action::done())
}

#[test]
fn work_that_is_forgotten_after_a_crash_between_two_writes_is_found() {
    let test = CrashTest::new(async |client| copies::run(client, half).await).step("create it", copies::create);
    let finding = test.try_run().unwrap_err();
    println!("{finding}");
    assert_eq!((finding.kind(), finding.play()), (FindingKind::Differs, Some("kill-after:write1")));
}

#[test]
fn work_that_is_resumed_after_a_crash_between_two_writes_is_no_finding() {
    let report = CrashTest::new(async |client| copies::run(client, whole).await).step("create it", copies::create).run();
    println!("{report}");
}
