//! That which differs between runs by chance: uids, generated names, resource versions, and the order of sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::Object as _;
use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
use klient_cache::Cached;
use klient_client::{Client, DeleteOptions, Error, Patch};
use klient_controller::Action;
use klient_testing::{CrashTest, FindingKind, Options, PlayKind};
use serde_json::json;

use crate::copies::{self, Context, change, create, delete};
use crate::findings::{keep, only};

/// Makes a secret whose name has the uid of the config map, and which tells of it and of another with a generated name.
async fn describe(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
    let secrets = context.client.api::<Secret>().namespace("default");
    let name = format!("copy-{}", config_map.uid());
    if context.secrets.get_in("default", &name).is_some() {
        return Ok(Action::done());
    }
    let owned = |mut secret: Secret| {
        secret.metadata.owner_references = vec![OwnerReference::controller_of(&*config_map)];
        secret
    };
    let own: Vec<Cached<Secret>> = context.secrets.list_in("default");
    let key = match own.iter().find(|secret| secret.name().starts_with("key-")) {
        Some(key) => key.name().to_owned(),
        None => {
            let generated = ObjectMeta { generate_name: Some("key-".into()), ..Default::default() };
            let key = owned(Secret { metadata: generated, ..Default::default() });
            secrets.create(&key).await?.name().to_owned()
        }
    };
    let mut copy = owned(Secret { metadata: ObjectMeta::named(&*name), ..Default::default() });
    let (uid, version) = (config_map.uid(), config_map.resource_version());
    copy.metadata.annotations.insert("source", format!("configmaps/{uid}@{version}").into());
    copy.metadata.annotations.insert(format!("seen-{uid}"), version.into());
    copy.string_data.insert(format!("{uid}.key"), format!("default/{key}.pem of {uid}").into());
    match secrets.create(&copy).await {
        Err(error) if error.is_already_exists() => Ok(Action::done()),
        created => created.map(|_| Action::done()),
    }
}

#[test]
fn uids_generated_names_and_versions_within_names_keys_and_texts_are_not_compared() {
    let starts = Arc::new(AtomicUsize::new(0));
    let test = CrashTest::new(async move |client: Client| {
        keep(&client, "started").await;
        // Each start makes the versions of later objects others.
        for number in 0..=starts.fetch_add(1, Ordering::Relaxed) % 3 {
            let patch = Patch::Merge(json!({"data": {"at": format!("{number}")}}));
            while client.api::<ConfigMap>().namespace("default").patch("started", &patch).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
        copies::run(client, describe).await
    });
    let ignored_fields = vec![("configmaps".to_owned(), "/data/at".to_owned())];
    let options = Options { ignored_fields, ..only(&[PlayKind::ServerError, PlayKind::Restart]) };
    test.step("create it", create)
        .step("delete it", delete)
        .step("create it again", create)
        .options(options)
        .run();
}

#[test]
fn the_order_of_finalizers_owners_and_conditions_is_not_compared() {
    let runs = Arc::new(AtomicUsize::new(0));
    let test = CrashTest::new(async move |client: Client| {
        let is_even = runs.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let reconcile = move |config_map: Cached<ConfigMap>, context: Arc<Context>| async move {
            let secrets = context.client.api::<Secret>().namespace("default");
            if context.secrets.get_in("default", "copy").is_some() {
                return Ok(Action::done());
            }
            let mut copy = Secret { metadata: ObjectMeta::named("copy"), ..Default::default() };
            let mut owner = OwnerReference::controller_of(&*config_map);
            owner.controller = None;
            let other = OwnerReference { name: "other".into(), ..owner.clone() };
            copy.metadata.owner_references = vec![owner, other];
            copy.metadata.finalizers = vec!["shop.example/a".into(), "shop.example/b".into()];
            if is_even {
                copy.metadata.owner_references.reverse();
                copy.metadata.finalizers.reverse();
            }
            match secrets.create(&copy).await {
                Err(error) if error.is_already_exists() => Ok(Action::done()),
                created => created.map(|_| Action::done()),
            }
        };
        copies::run(client, reconcile).await
    });
    test.step("create it", create).options(only(&[PlayKind::KillAfter])).run();
}

mod children {
    use super::*;

    /// Keeps one secret with a generated name; deletes others, or at each start all.
    async fn keep_one(
        config_map: Cached<ConfigMap>,
        context: Arc<Context>,
        is_first: Arc<AtomicUsize>,
    ) -> Result<Action, Error> {
        let secrets = context.client.api::<Secret>().namespace("default");
        let mut own: Vec<Cached<Secret>> = context.secrets.list_in("default");
        own.sort_by_key(|secret| secret.name().to_owned());
        let kept = is_first.swap(1, Ordering::Relaxed);
        for surplus in own.iter().skip(kept) {
            match secrets.delete(surplus.name(), &DeleteOptions::default()).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        if own.len().min(kept) == 0 {
            let metadata = ObjectMeta { generate_name: Some("copy-".into()), ..Default::default() };
            let mut copy = Secret { metadata, ..Default::default() };
            copy.metadata.owner_references = vec![OwnerReference::controller_of(&*config_map)];
            secrets.create(&copy).await?;
        }
        Ok(Action::done())
    }

    fn test(kept_at_start: usize) -> CrashTest {
        let controller = async move |client| {
            let kept = Arc::new(AtomicUsize::new(kept_at_start));
            copies::run(client, move |map, context| keep_one(map, context, kept.clone())).await
        };
        CrashTest::new(controller).step("create it", create)
    }

    #[test]
    fn of_which_one_too_many_is_deleted_are_no_finding() {
        test(1).step("change it", change).run();
    }

    #[test]
    fn of_which_the_one_that_is_needed_is_deleted_are_found() {
        let finding = test(0).try_run().unwrap_err();
        assert_eq!(finding.kind(), FindingKind::DeletedAgain, "{finding}");
        assert!(finding.to_string().contains("secrets default/copy-*: deleted 1 times"), "{finding}");
    }
}
