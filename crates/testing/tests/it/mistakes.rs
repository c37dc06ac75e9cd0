//! The well-known mistakes of controllers, each beside the same controller without it.

use std::future::pending;
use std::sync::Arc;

use expect_test::expect;
use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::Object as _;
use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
use klient_cache::{Cached, Event, InformerFactory};
use klient_client::{Client, DeleteOptions, Error, ListOptions, Patch};
use klient_controller::Action;
use klient_testing::{CrashTest, Finding, FindingKind, PlayKind, Report};
use serde_json::json;
use tokio::sync::mpsc;

use crate::copies::{self, Context, change, create, delete};

const FINALIZER: &str = "shop.example/copies";

fn find(test: &CrashTest) -> (FindingKind, String) {
    let finding = test.try_run().unwrap_err();
    (finding.kind(), finding.play().unwrap_or("the reference run").to_owned())
}

/// A secret without an owner: no garbage collector sees to it.
fn secret(name: &str, config_map: &ConfigMap) -> Secret {
    let metadata = ObjectMeta::named(name);
    Secret { metadata, string_data: config_map.data.clone(), ..Default::default() }
}

fn owned(mut secret: Secret, config_map: &ConfigMap) -> Secret {
    secret.metadata.owner_references = vec![OwnerReference::controller_of(config_map)];
    secret
}

fn unless_exists(created: Result<Secret, Error>) -> Result<(), Error> {
    created.map(drop).or_else(|error| if error.is_already_exists() { Ok(()) } else { Err(error) })
}

fn unless_gone<T>(done: Result<T, Error>) -> Result<(), Error> {
    done.map(drop).or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) })
}

mod a_crash_between_two_writes {
    use super::*;

    /// Takes the first secret for a sign that both exist.
    async fn forgets(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
        let secrets = context.client.api::<Secret>().namespace("default");
        if context.secrets.get_in("default", "first").is_none() {
            secrets.create(&secret("first", &config_map)).await?;
            secrets.create(&secret("second", &config_map)).await?;
        }
        Ok(Action::done())
    }

    async fn resumes(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
        let secrets = context.client.api::<Secret>().namespace("default");
        for name in ["first", "second"] {
            if context.secrets.get_in("default", name).is_none() {
                unless_exists(secrets.create(&secret(name, &config_map)).await)?;
            }
        }
        Ok(Action::done())
    }

    #[test]
    fn after_which_the_second_is_forgotten_is_found() {
        let test =
            CrashTest::new(async |client| copies::run(client, forgets).await).step("create it", create);
        let finding: Finding = test.try_run().unwrap_err();
        expect![[r#"
            the controller leaves other objects than the reference run, after step 1, create it
              secrets default/second: is missing; the reference run leaves it

              kill-after:write1
                start
                step 1: create it
                  1  create secrets default/first: 201, created; the controller is killed before it has the answer, and started again

              the reference run
                start
                step 1: create it
                  1  create secrets default/first: 201, created
                  2  create secrets default/second: 201, created

              KLIENT_PLAY='kill-after:write1' cargo test -p klient-testing --test it -- --exact mistakes::a_crash_between_two_writes::after_which_the_second_is_forgotten_is_found --nocapture"#]].assert_eq(&finding.to_string());
    }

    #[test]
    fn after_which_the_second_is_made_is_no_finding() {
        let test =
            CrashTest::new(async |client| copies::run(client, resumes).await).step("create it", create);
        let report: Report = test.run();
        assert_eq!((report.total(), report.writes), (25, 2), "{report}");
        // A conflict is no answer to a create.
        assert_eq!(report.plays.get(&PlayKind::Conflict), None);
    }
}

mod a_cache_that_is_behind {
    use super::*;

    /// Cleans up for the config map that the cache has, whichever is there by now.
    async fn trusts(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
        keep_copy(&config_map, &context).await
    }

    async fn asks(config_map: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
        match context.client.api::<ConfigMap>().namespace("default").get_opt(config_map.name()).await? {
            Some(latest) if latest.uid() == config_map.uid() => keep_copy(&latest, &context).await,
            _ => Ok(Action::done()),
        }
    }

    async fn keep_copy(config_map: &ConfigMap, context: &Context) -> Result<Action, Error> {
        let config_maps = context.client.api::<ConfigMap>().namespace("default");
        let secrets = context.client.api::<Secret>().namespace("default");
        let mut changed = config_map.clone();
        if config_map.deletion_timestamp().is_some() {
            if changed.metadata.remove_finalizer(FINALIZER) {
                unless_gone(secrets.delete("copy", &DeleteOptions::default()).await)?;
                config_maps.update(&changed).await?;
            }
            return Ok(Action::done());
        }
        if changed.metadata.add_finalizer(FINALIZER) {
            config_maps.update(&changed).await?;
        }
        if context.secrets.get_in("default", "copy").is_none() {
            unless_exists(secrets.create(&owned(secret("copy", config_map), config_map)).await)?;
        }
        Ok(Action::done())
    }

    fn twice(test: CrashTest) -> CrashTest {
        test.step("create it", create).step("delete it", delete).step("create it again", create)
    }

    #[test]
    fn and_that_is_trusted_is_found() {
        let finding =
            twice(CrashTest::new(async |client| copies::run(client, trusts).await)).try_run().unwrap_err();
        assert_eq!(finding.kind(), FindingKind::DeletedAgain);
        expect![[r#"
            the controller deletes an object once more than needed, after step 3, create it again
              secrets default/copy: deleted 2 times; the reference run needs 1

              behind:step3:from-write3
                start
                step 1: create it
                  1  update configmaps default/colors: 200, changed
                  2  create secrets default/copy: 201, created
                step 2: delete it
                  3  delete secrets default/copy: 200, deleted
                  4  update configmaps default/colors: 200, the last finalizer is gone
                step 3: create it again
                  5  update configmaps default/colors: 200, changed
                  6  create secrets default/copy: 201, created
                     the controller is killed at rest, and started again with caches that are behind
                  7  delete secrets default/copy: 200, deleted
                  8  update configmaps default/colors: 409
                  9  delete secrets default/copy: 404
                 10  update configmaps default/colors: 409
                 11  delete secrets default/copy: 404
                     … 21 more lines
                 33  delete secrets default/copy: 404
                 34  update configmaps default/colors: 409
                     the caches catch up
                 35  create secrets default/copy: 201, created

              the reference run
                start
                step 1: create it
                  1  update configmaps default/colors: 200, changed
                  2  create secrets default/copy: 201, created
                step 2: delete it
                  3  delete secrets default/copy: 200, deleted
                  4  update configmaps default/colors: 200, the last finalizer is gone
                step 3: create it again
                  5  update configmaps default/colors: 200, changed
                  6  create secrets default/copy: 201, created

              KLIENT_PLAY='behind:step3:from-write3' cargo test -p klient-testing --test it -- --exact mistakes::a_cache_that_is_behind::and_that_is_trusted_is_found --nocapture"#]].assert_eq(&finding.to_string());
    }

    #[test]
    fn and_after_which_the_server_is_asked_is_no_finding() {
        twice(CrashTest::new(async |client| copies::run(client, asks).await)).run();
    }
}

mod a_deletion {
    use super::*;

    /// Makes a secret when it hears of a config map, and deletes it when it hears of the deletion.
    async fn listen(client: Client, with_owner: bool) -> Result<(), Error> {
        let factory = InformerFactory::builder(client.clone()).label_selector("copied=true").unwrap().build();
        let (sender, mut events) = mpsc::unbounded_channel();
        let _handler = factory.informer::<ConfigMap>().add_event_handler(move |event: Event<ConfigMap>| {
            let _ = sender.send(event);
        });
        factory.start();
        let secrets = client.api::<Secret>().namespace("default");
        while let Some(event) = events.recv().await {
            loop {
                let done = match &event {
                    Event::Deleted(_) => unless_gone(secrets.delete("copy", &DeleteOptions::default()).await),
                    Event::Added { object, .. } => {
                        let copy = secret("copy", object);
                        let copy = if with_owner { owned(copy, object) } else { copy };
                        unless_exists(secrets.create(&copy).await)
                    }
                    _ => Ok(()),
                };
                if done.is_ok() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
        pending().await
    }

    fn life(test: CrashTest) -> CrashTest {
        let note = async |client: Client| {
            let note = ConfigMap { metadata: ObjectMeta::named("note"), ..Default::default() };
            client.api::<ConfigMap>().namespace("default").create(&note).await.map(drop)
        };
        test.step("create it", create).step("create something else", note).step("delete it", delete)
    }

    #[test]
    fn that_happens_while_nobody_listens_is_found() {
        let test = life(CrashTest::new(async |client| listen(client, false).await));
        assert_eq!(find(&test), (FindingKind::Differs, "down:written2:without-2".to_owned()));
    }

    #[test]
    fn that_the_garbage_collector_completes_is_no_finding() {
        life(CrashTest::new(async |client| listen(client, true).await)).run();
    }
}

mod a_generated_name {
    use super::*;

    /// Remembers the name in an annotation, which it writes afterwards.
    async fn reconcile(
        config_map: Cached<ConfigMap>,
        context: Arc<Context>,
        looks: bool,
    ) -> Result<Action, Error> {
        if config_map.annotations().any(|(key, _)| key == "copy") {
            return Ok(Action::done());
        }
        let secrets = context.client.api::<Secret>().namespace("default");
        let mut copy = owned(secret("", &config_map), &config_map);
        copy.metadata.generate_name = Some("copy-".into());
        let all = secrets.list(&ListOptions::default()).await?;
        let is_own = |secret: &&Secret| {
            secret.metadata.owner_references.iter().any(|owner| owner.uid == config_map.uid())
        };
        let name = match all.items.iter().find(is_own).filter(|_| looks) {
            Some(existing) => existing.name().to_owned(),
            None => secrets.create(&copy).await?.name().to_owned(),
        };
        let annotation = Patch::Merge(json!({"metadata": {"annotations": {"copy": name}}}));
        context.client.api::<ConfigMap>().namespace("default").patch("colors", &annotation).await?;
        Ok(Action::done())
    }

    #[test]
    fn that_is_not_remembered_yet_leaks_an_object() {
        let controller =
            async |client| copies::run(client, |map, context| reconcile(map, context, false)).await;
        let test = CrashTest::new(controller).step("create it", create);
        assert_eq!(find(&test), (FindingKind::Differs, "kill-after:write1".to_owned()));
    }

    #[test]
    fn that_is_looked_up_by_its_owner_is_no_finding() {
        let controller =
            async |client| copies::run(client, |map, context| reconcile(map, context, true)).await;
        CrashTest::new(controller).step("create it", create).run();
    }
}

mod a_finalizer {
    use super::*;

    async fn reconcile(
        config_map: Cached<ConfigMap>,
        context: Arc<Context>,
        in_order: bool,
    ) -> Result<Action, Error> {
        let config_maps = context.client.api::<ConfigMap>().namespace("default");
        let secrets = context.client.api::<Secret>().namespace("default");
        let Some(mut latest) = config_maps.get_opt(config_map.name()).await? else {
            return Ok(Action::done());
        };
        if latest.deletion_timestamp().is_some() {
            if latest.metadata.remove_finalizer(FINALIZER) {
                if in_order {
                    unless_gone(secrets.delete("copy", &DeleteOptions::default()).await)?;
                    config_maps.update(&latest).await?;
                } else {
                    config_maps.update(&latest).await?;
                    unless_gone(secrets.delete("copy", &DeleteOptions::default()).await)?;
                }
            }
            return Ok(Action::done());
        }
        if latest.metadata.add_finalizer(FINALIZER) {
            config_maps.update(&latest).await?;
        }
        unless_exists(secrets.create(&secret("copy", &latest)).await)?;
        Ok(Action::done())
    }

    #[test]
    fn that_is_removed_before_the_clean_up_is_found() {
        let controller =
            async |client| copies::run(client, |map, context| reconcile(map, context, false)).await;
        let test = CrashTest::new(controller).step("create it", create).step("delete it", delete);
        assert_eq!(find(&test), (FindingKind::Differs, "kill-after:write4".to_owned()));
    }

    #[test]
    fn that_is_removed_after_the_clean_up_is_no_finding() {
        let controller =
            async |client| copies::run(client, |map, context| reconcile(map, context, true)).await;
        CrashTest::new(controller).step("create it", create).step("delete it", delete).run();
    }
}

mod a_conflict {
    use super::*;

    async fn reconcile(
        config_map: Cached<ConfigMap>,
        context: Arc<Context>,
        gives_up: bool,
    ) -> Result<Action, Error> {
        let mut seen = (*config_map).clone();
        let sky = seen.data["sky"].clone();
        if seen.metadata.annotations.insert("seen", sky.clone()) == Some(sky) {
            return Ok(Action::done());
        }
        match context.client.api::<ConfigMap>().namespace("default").update(&seen).await {
            Err(error) if gives_up && error.is_conflict() => Ok(Action::done()),
            updated => updated.map(|_| Action::done()),
        }
    }

    #[test]
    fn that_is_ignored_is_found() {
        let controller =
            async |client| copies::run(client, |map, context| reconcile(map, context, true)).await;
        let test = CrashTest::new(controller).step("create it", create).step("change it", change);
        assert_eq!(find(&test), (FindingKind::Differs, "conflict:write1".to_owned()));
    }

    #[test]
    fn after_which_it_is_tried_again_is_no_finding() {
        let controller =
            async |client| copies::run(client, |map, context| reconcile(map, context, false)).await;
        CrashTest::new(controller).step("create it", create).step("change it", change).run();
    }
}
