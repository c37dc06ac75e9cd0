//! Finalizers of built-in, custom and dynamic objects.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{Object, Resource as _, Unstructured};
use klient_client::Patch;
use klient_controller::{ErrorKind, Finalizer, FinalizerStep};
use serde_json::json;

use crate::cluster::{cluster, config_map, config_maps};
use crate::website::{Website, define_websites};

fn finalizer() -> Finalizer {
    Finalizer::new("shop.example/paint").unwrap()
}

fn finalizers(object: &impl Object) -> Vec<&str> {
    object.finalizers().collect()
}

#[test]
fn a_name_that_is_not_qualified_is_an_error() {
    for (name, expected) in [
        ("cleanup", r#"the finalizer "cleanup" has no domain: name it as example.com/cleanup"#),
        ("", r#"the finalizer "" is not a qualified name: name part must be non-empty"#),
        ("a/b/c", r#"the finalizer "a/b/c" is not a qualified name: a valid label key must consist of"#),
        (
            "Shop.example/x",
            r#"the finalizer "Shop.example/x" is not a qualified name: prefix part a lowercase"#,
        ),
    ] {
        let error = Finalizer::new(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FinalizerName);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn one_that_a_cache_has_and_that_is_gone_is_not_brought_back() {
    let (_server, client) = cluster().await;
    define_websites(&client).await;
    let websites = client.api::<Website>().namespace("default");
    let website = websites.create(&Website::named("shop")).await.unwrap();
    let finalizer = finalizer();
    let FinalizerStep::Apply(cached) = finalizer.begin_latest(&websites, &website).await.unwrap() else {
        panic!("it is not being deleted")
    };
    assert_eq!(finalizers(&cached), ["shop.example/paint"]);
    websites.delete("shop", &DeleteOptions::default()).await.unwrap();
    let FinalizerStep::CleanUp(cleanup) = finalizer.begin_latest(&websites, &cached).await.unwrap() else {
        panic!("it is being deleted")
    };
    cleanup.done().await.unwrap();
    assert!(matches!(finalizer.begin_latest(&websites, &cached).await.unwrap(), FinalizerStep::Done));
    // Another of its name is another.
    websites.create(&Website::named("shop")).await.unwrap();
    assert!(matches!(finalizer.begin_latest(&websites, &cached).await.unwrap(), FinalizerStep::Done));
}

#[tokio::test]
async fn it_is_added_before_the_first_act_and_removed_after_the_last() {
    let (_server, client) = cluster().await;
    define_websites(&client).await;
    let websites = client.api::<Website>().namespace("default");
    let website = websites.create(&Website::named("shop")).await.unwrap();

    let step = finalizer().begin(&websites, &website).await.unwrap();
    let FinalizerStep::Apply(added) = step else { panic!("it is not being deleted") };
    assert_eq!(finalizers(&added), ["shop.example/paint"]);
    // The second time nothing is written.
    let step = finalizer().begin(&websites, &added).await.unwrap();
    let FinalizerStep::Apply(again) = step else { panic!("it is not being deleted") };
    assert_eq!(again.resource_version(), added.resource_version());

    websites.delete("shop", &DeleteOptions::default()).await.unwrap();
    let going = websites.get("shop").await.unwrap();
    // A finalizer of others is not for this controller.
    let other = Finalizer::new("other.example/x").unwrap();
    assert!(matches!(other.begin(&websites, &going).await.unwrap(), FinalizerStep::Done));
    assert!(other.add(&websites, &going).await.unwrap().is_none());

    // A clean-up that is not done leaves the object.
    let FinalizerStep::CleanUp(_) = finalizer().begin(&websites, &going).await.unwrap() else { panic!() };
    assert!(websites.get_opt("shop").await.unwrap().is_some());
    let FinalizerStep::CleanUp(cleanup) = finalizer().begin(&websites, &going).await.unwrap() else {
        panic!()
    };
    assert_eq!(cleanup.object.uid(), website.uid());
    cleanup.done().await.unwrap();
    assert!(websites.get_opt("shop").await.unwrap().is_none());
}

#[tokio::test]
async fn a_stale_object_keeps_the_finalizers_of_others() {
    let (_server, client) = cluster().await;
    let maps = config_maps(&client);
    let stale = maps.create(&config_map("colors", "red")).await.unwrap();
    let theirs = json!({"metadata": {"finalizers": ["other.example/x"]}});
    maps.patch("colors", &Patch::Merge(theirs)).await.unwrap();

    let added: ConfigMap = finalizer().add(&maps, &stale).await.unwrap().unwrap();
    assert_eq!(finalizers(&added), ["other.example/x", "shop.example/paint"]);
    // It is there already, though the stale object does not say so.
    let again = finalizer().add(&maps, &stale).await.unwrap().unwrap();
    assert_eq!(again.resource_version(), added.resource_version());
    // A stale object that has it.
    let newer = json!({"data": {"color": "blue"}});
    maps.patch("colors", &Patch::Merge(newer)).await.unwrap();
    let removed = finalizer().remove(&maps, &added).await.unwrap().unwrap();
    assert_eq!((finalizers(&removed), &*removed.data["color"]), (vec!["other.example/x"], "blue"));
    // It was deleted since it was read, as its cache does not know yet.
    let with_both: ConfigMap = finalizer().add(&maps, &removed).await.unwrap().unwrap();
    maps.delete("colors", &DeleteOptions::default()).await.unwrap();
    let step = finalizer().begin(&maps, &stale).await.unwrap();
    let FinalizerStep::CleanUp(cleanup) = step else { panic!("it is being deleted") };
    assert_eq!(finalizers(&cleanup.object), finalizers(&with_both));
    cleanup.done().await.unwrap();
    // Nothing is left for this controller to act on.
    assert!(matches!(finalizer().begin(&maps, &stale).await.unwrap(), FinalizerStep::Done));
}

#[tokio::test]
async fn an_object_that_was_created_again_is_left_alone() {
    let (_server, client) = cluster().await;
    let maps = client.dynamic(ConfigMap::INFO).namespace("default");
    let map = Unstructured::from_typed(&config_map("colors", "red"));
    let first = maps.create(&map).await.unwrap();
    let with_it: Unstructured = finalizer().add(&maps, &first).await.unwrap().unwrap();
    finalizer().remove(&maps, &with_it).await.unwrap().unwrap();
    maps.delete("colors", &DeleteOptions::default()).await.unwrap();

    // Gone: nothing to remove, and nothing to add to.
    assert!(finalizer().remove(&maps, &with_it).await.unwrap().is_none());
    assert!(finalizer().add(&maps, &first).await.unwrap_err().is_not_found());

    let second = maps.create(&map).await.unwrap();
    let second: Unstructured = finalizer().add(&maps, &second).await.unwrap().unwrap();
    assert!(finalizer().remove(&maps, &with_it).await.unwrap().is_none());
    let error = finalizer().add(&maps, &first).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Replaced);
    assert_eq!(
        error.to_string(),
        "configmaps default/colors was deleted and created again since it was read"
    );
    let now = maps.get("colors").await.unwrap();
    assert_eq!(now.resource_version(), second.resource_version());

    let unsaved = finalizer().add(&maps, &map).await.unwrap_err();
    assert_eq!(unsaved.kind(), ErrorKind::NoUid);
}
