//! Writes that make a difference: create-or-update, create-or-apply and status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::{Condition, DeleteOptions};
use klient_apimachinery::{InNamespace, Object, Resource as _, Unstructured};
use klient_client::{Api, ApplyOptions, Client, Config, Patch, RequestBody, Transport};
use klient_controller::{
    Error, ErrorKind, OperationResult, create_or_apply, create_or_update, set_condition,
    set_controller_reference, update_status,
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::cluster::{cluster, config_map, config_maps};
use crate::website::{Website, define_websites};

/// Waits within a function that is not async.
fn now<F: Future>(future: F) -> F::Output {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

async fn paint(maps: &Api<ConfigMap, InNamespace>, color: &str) -> (ConfigMap, OperationResult) {
    let paint = |map: &mut ConfigMap| {
        map.data.insert("color", color.into());
        Ok(())
    };
    create_or_update(maps, config_map("colors", "none"), paint).await.unwrap()
}

#[tokio::test]
async fn an_object_is_created_updated_or_left_unchanged() {
    let (_server, client) = cluster().await;
    let maps = config_maps(&client);
    let mut versions = Vec::new();
    for (color, expected) in [
        ("red", OperationResult::Created),
        ("red", OperationResult::Unchanged),
        ("blue", OperationResult::Updated),
    ] {
        let (map, result) = paint(&maps, color).await;
        assert_eq!((&*map.data["color"], result), (color, expected));
        versions.push(map.resource_version().to_owned());
    }
    assert!(versions[0] == versions[1] && versions[1] != versions[2], "{versions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_by_others_is_kept() {
    let (_server, client) = cluster().await;
    let maps = config_maps(&client);
    let theirs = |key: &str| Patch::Merge(json!({"data": { key: "theirs" }}));

    // Another creates it first, and changes it while it is being changed.
    let calls = AtomicU32::new(0);
    let mutate = |map: &mut ConfigMap| {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => drop(now(maps.create(&config_map("colors", "red"))).unwrap()),
            1 => drop(now(maps.patch("colors", &theirs("sky"))).unwrap()),
            _ => {}
        }
        map.data.insert("grass", "green".into());
        Ok(())
    };
    let (map, result) = create_or_update(&maps, config_map("colors", "none"), mutate).await.unwrap();
    assert_eq!((result, calls.load(Ordering::Relaxed)), (OperationResult::Updated, 3));
    assert_eq!(map.data, [("color", "red"), ("grass", "green"), ("sky", "theirs")].into());

    // Another deletes it while it is being changed.
    let calls = AtomicU32::new(0);
    let mutate = |map: &mut ConfigMap| {
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            now(maps.delete("colors", &DeleteOptions::default())).unwrap();
        }
        map.data.insert("grass", "brown".into());
        Ok(())
    };
    let (again, result) = create_or_update(&maps, config_map("colors", "none"), mutate).await.unwrap();
    assert_eq!(result, OperationResult::Created);
    assert_eq!(again.data, [("color", "none"), ("grass", "brown")].into());

    // Another changes it every time.
    let mutate = |map: &mut ConfigMap| {
        let count = calls.fetch_add(1, Ordering::Relaxed).to_string();
        now(maps.patch("colors", &theirs(&count))).unwrap();
        map.data.insert("grass", "red".into());
        Ok(())
    };
    let error = create_or_update(&maps, config_map("colors", "none"), mutate).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
}

#[tokio::test]
async fn a_status_that_another_writes_before_an_apply_is_no_effect_of_it() {
    let (server, client) = cluster().await;
    define_websites(&client).await;
    let websites = client.dynamic(Website::INFO).namespace("default");
    let mut shop = Unstructured::new("example.com/v1", "Website", "shop");
    shop["spec"] = json!({"color": "red"});
    let options = ApplyOptions::new("painter");
    let (_, result) = create_or_apply(&websites, &shop, &options).await.unwrap();
    assert_eq!(result, OperationResult::Created);

    // The status is written between the read and the apply.
    let pages = Arc::new(AtomicU32::new(0));
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let (websites, pages) = (websites.clone(), pages.clone());
        tower::service_fn(move |request: http::Request<RequestBody>| {
            let (transport, websites) = (transport.clone(), websites.clone());
            let pages = pages.fetch_add(1, Ordering::Relaxed);
            async move {
                if request.method() == http::Method::PATCH {
                    let status = Patch::Merge(json!({"status": {"pages": pages}}));
                    websites.patch_status("shop", &status).await.unwrap();
                }
                transport.oneshot(request).await
            }
        })
    });
    let watched = Client::with_layer(Config::from_kubeconfig(&server.kubeconfig()).unwrap(), layer).unwrap();
    let websites = watched.dynamic(Website::INFO).namespace("default");
    for (color, expected) in [("red", OperationResult::Unchanged), ("blue", OperationResult::Updated)] {
        shop["spec"] = json!({"color": color});
        let (applied, result) = create_or_apply(&websites, &shop, &options).await.unwrap();
        assert_eq!((result, applied["spec"]["color"].as_str()), (expected, Some(color)));
        assert!(applied["status"]["pages"].as_u64() > Some(0), "{applied:?}");
    }
}

#[tokio::test]
async fn what_a_function_must_not_do_is_an_error() {
    let (_server, client) = cluster().await;
    let maps = config_maps(&client);
    let rename = |map: &mut ConfigMap| {
        map.metadata.name = Some("other".into());
        Ok(())
    };
    let error = create_or_update(&maps, config_map("colors", "red"), rename).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NameChanged);
    let expected =
        "configmaps default/colors: the function that changes it must not change name and namespace";
    assert_eq!(error.to_string(), expected);

    let fail = |_: &mut ConfigMap| Err(Error::other("no paint"));
    let error = create_or_update(&maps, config_map("colors", "red"), fail).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Other, "no paint"));
    assert!(maps.get_opt("colors").await.unwrap().is_none());
}

#[tokio::test]
async fn children_have_their_owner_whatever_their_form() {
    let (_server, client) = cluster().await;
    define_websites(&client).await;
    let website = client.api::<Website>().namespace("default").create(&Website::named("shop")).await.unwrap();
    let own = |map: &mut ConfigMap| set_controller_reference(&website, map);
    let maps = config_maps(&client);
    let (map, result) = create_or_update(&maps, config_map("colors", "red"), own).await.unwrap();
    assert_eq!((map.controller().unwrap().uid.as_str(), result), (website.uid(), OperationResult::Created));

    // Another controller cannot take it.
    let other = client.api::<Website>().namespace("default").create(&Website::named("rival")).await.unwrap();
    let steal = |map: &mut ConfigMap| set_controller_reference(&other, map);
    let error = create_or_update(&maps, config_map("colors", "red"), steal).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyOwned);
    let expected =
        r#""colors" is controlled by Website "shop" already, and an object has one controller at most"#;
    assert_eq!(error.to_string(), expected);

    let dynamic = client.dynamic(ConfigMap::INFO).namespace("default");
    let mut configuration = Unstructured::new("v1", "ConfigMap", "applied");
    configuration.set_namespace("default");
    set_controller_reference(&website, &mut configuration).unwrap();
    let options = ApplyOptions::new("shop");
    for expected in [OperationResult::Created, OperationResult::Unchanged] {
        let (applied, result) = create_or_apply(&dynamic, &configuration, &options).await.unwrap();
        assert_eq!((applied.controller().unwrap().uid.as_str(), result), (website.uid(), expected));
    }
    configuration["data"] = json!({"sky": "blue"});
    let (_, result) = create_or_apply(&dynamic, &configuration, &options).await.unwrap();
    assert_eq!(result, OperationResult::Updated);
    configuration["data"] = json!({"sky": "red"});
    let error = create_or_apply(&dynamic, &configuration, &ApplyOptions::new("other")).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
}

fn ready(generation: Option<i64>, status: &str) -> Condition {
    Condition {
        type_: "Ready".into(),
        status: status.into(),
        reason: "Painted".into(),
        observed_generation: generation,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_status_is_written_if_it_changes() {
    let (server, client) = cluster().await;
    define_websites(&client).await;
    let websites = client.api::<Website>().namespace("default");
    let created = websites.create(&Website::named("shop")).await.unwrap();
    let set = |website: &mut Website| {
        let generation = website.generation();
        set_condition(&mut website.status.conditions, ready(generation, "True"));
        Ok(())
    };
    let (first, result) = update_status(&websites, &created, set).await.unwrap();
    assert_eq!(result, OperationResult::Updated);
    assert_eq!(first.status.conditions[0].observed_generation, Some(1));

    // Nothing is sent: the server does not even run.
    server.stop().await;
    let (same, result) = update_status(&websites, &first, set).await.unwrap();
    assert_eq!((same.resource_version(), result), (first.resource_version(), OperationResult::Unchanged));
    server.restart().await.unwrap();

    // A stale object: the status of others is kept, and what was written by now is not written again.
    let theirs = json!({"status": {"pages": 3}});
    websites.patch_status("shop", &Patch::Merge(theirs)).await.unwrap();
    let unset = |website: &mut Website| {
        set_condition(&mut website.status.conditions, ready(None, "False"));
        Ok(())
    };
    let (merged, result) = update_status(&websites, &first, unset).await.unwrap();
    assert_eq!((merged.status.pages, result), (3, OperationResult::Updated));
    let (_, result) = update_status(&websites, &first, unset).await.unwrap();
    assert_eq!(result, OperationResult::Unchanged);

    // The same for an object without a type.
    let dynamic = client.dynamic(Website::INFO).namespace("default");
    let object = dynamic.get("shop").await.unwrap();
    for expected in [OperationResult::Updated, OperationResult::Unchanged] {
        let set = |website: &mut Unstructured| {
            website["status"]["pages"] = 4.into();
            Ok(())
        };
        assert_eq!(update_status(&dynamic, &object, set).await.unwrap().1, expected);
    }
}

#[tokio::test]
async fn the_status_of_an_object_that_was_created_again_is_left_alone() {
    let (_server, client) = cluster().await;
    define_websites(&client).await;
    let websites = client.api::<Website>().namespace("default");
    let first = websites.create(&Website::named("shop")).await.unwrap();
    let set = |website: &mut Website| {
        website.status.pages = 9;
        Ok(())
    };
    websites.delete("shop", &DeleteOptions::default()).await.unwrap();
    assert!(update_status(&websites, &first, set).await.unwrap_err().is_not_found());
    websites.create(&Website::named("shop")).await.unwrap();
    assert_eq!(update_status(&websites, &first, set).await.unwrap_err().kind(), ErrorKind::Replaced);
    assert_eq!(websites.get("shop").await.unwrap().status.pages, 0);
    let unsaved = update_status(&websites, &Website::named("shop"), set).await.unwrap_err();
    assert_eq!(unsaved.kind(), ErrorKind::NoUid);
}
