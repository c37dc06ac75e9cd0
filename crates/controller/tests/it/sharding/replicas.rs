//! Replicas without controllers.

use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_api::rbac::v1::{ClusterRoleBinding, RoleRef, Subject};
use klient_apimachinery::ListOptions;
use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta};
use klient_client::{Client, Config};
use klient_controller::ErrorKind;
use klient_controller::sharding::{CLAIM_ANNOTATION, GROUP_LABEL, ShardLoss, Sharding, ShardingConfig};
use klient_controller::wait::{conditions, wait_for};

use super::{assigned, join, short};
use crate::cluster::{cluster, soon, until};
use crate::gate::Gate;

/// The number of 100 keys that a replica owns.
fn count(sharding: &Sharding) -> usize {
    (0..100).filter(|key| sharding.owns(&format!("web-{key}"))).count()
}

/// The first key of a replica.
fn key_of(sharding: &Sharding) -> String {
    (0..100).map(|key| format!("web-{key}")).find(|key| sharding.owns(key)).unwrap()
}

async fn leases(client: &Client) -> Vec<Lease> {
    let options = ListOptions::labels(format!("{GROUP_LABEL}=shop"));
    client.api::<Lease>().namespace("default").list(&options).await.unwrap().items
}

#[tokio::test]
async fn replicas_share_keys_and_one_who_leaves_hands_its_own_over() {
    let (_server, client) = cluster().await;
    let a = join(&client, "a");
    assert!(!a.owns("web-0") && a.begin("web-0").is_none() && a.assignment().is_none());
    assigned(&a, "all keys", |a| count(a) == 100).await;
    let b = join(&client, "b");
    assigned(&b, "a share", |b| count(b) > 0).await;
    assert_eq!(count(&a) + count(&b), 100);
    let mut members = vec![a.identity(), b.identity()];
    members.sort_unstable();
    assert_eq!(b.assignment().members(), members);

    let lease = leases(&client)
        .await
        .into_iter()
        .find(|lease| lease.spec.holder_identity.as_deref() == Some(a.identity()));
    let lease = lease.unwrap();
    assert_eq!(lease.metadata.name.as_deref(), Some(format!("shop-{}", a.identity()).as_str()));
    assert_eq!(lease.spec.lease_duration_seconds, Some(3));
    let claim = lease.metadata.annotations.get(CLAIM_ANNOTATION).unwrap();
    assert_eq!(claim.as_str(), format!(r#"{{"members":["{}","{}"]}}"#, members[0], members[1]));

    let key = key_of(&a);
    let token = a.begin(&key).unwrap().fencing_token().unwrap();
    soon("the leave", a.leave()).await;
    assert!(!a.owns(&key) && a.begin(&key).is_none() && a.assignment().is_none());
    assigned(&b, "all keys", |b| count(b) == 100).await;
    let guard = b.begin(&key).unwrap();
    assert!(guard.fencing_token().unwrap() > token);
    assert!(guard.is_valid() && guard.remaining() <= Duration::from_secs(2));
    // A replica that has left tells of no more.
    let mut assignments = a.assignments();
    assert!(assignments.next().await.unwrap().is_none());
    assert!(soon("the end", assignments.next()).await.is_none());
}

#[tokio::test]
async fn a_key_in_hand_stays_with_its_replica_until_the_guard_is_dropped() {
    let (_server, client) = cluster().await;
    let a = join(&client, "a");
    assigned(&a, "all keys", |a| count(a) == 100).await;
    let guards: Vec<_> = (0..100).map(|key| a.begin(&format!("web-{key}")).unwrap()).collect();
    let again = a.begin("web-0").unwrap();
    let b = join(&client, "b");
    // Both know of each other, and no key has changed hands.
    assigned(&b, "the members", |b| b.assignment().members().len() == 2).await;
    assigned(&a, "the members", |a| a.assignment().members().len() == 2).await;
    assert_eq!(count(&b), 0);
    assert!(guards.iter().all(|guard| guard.is_valid()));
    drop(guards);
    let others = move |b: &Sharding| count(b) + count(&a) + 1 >= 100;
    assigned(&b, "its share", others).await;
    assert!(again.is_valid() && !b.owns(again.key()));
    let is_of_b = b.assignment().owns("web-0");
    drop(again);
    if is_of_b {
        assigned(&b, "the last key", |b| b.owns("web-0")).await;
    }
}

#[tokio::test]
async fn the_keys_of_a_replica_that_is_cut_off_are_lost_before_others_have_them() {
    let (server, client) = cluster().await;
    let gate = Gate::default();
    let (a, b) = (join(&gate.client(&server), "a"), join(&client, "b"));
    assigned(&a, "a share", |a| a.assignment().members().len() == 2 && count(a) > 0).await;
    assigned(&b, "a share", |b| b.assignment().members().len() == 2 && count(b) > 0).await;
    let key = key_of(&a);
    let guard = a.begin(&key).unwrap();
    let work = tokio::spawn(async move {
        let result = guard.while_valid(std::future::pending::<()>()).await;
        (result, guard)
    });
    gate.close();
    assigned(&b, "the key of the dead", |b| b.owns(&key)).await;
    let (result, guard) = soon("a loss", work).await.unwrap();
    assert_eq!(result, Err(ShardLoss::Expired));
    assert_eq!(guard.lost().await, ShardLoss::Expired);
    assert!(!guard.is_valid() && guard.remaining().is_zero() && !a.owns(&key));
    // It comes back, and gets keys again.
    gate.open();
    assigned(&a, "a share", |a| count(a) > 0).await;
    assert!(!guard.is_valid());
}

#[tokio::test]
async fn a_lease_that_somebody_deletes_is_written_again() {
    let (_server, client) = cluster().await;
    let a = join(&client, "a");
    assigned(&a, "all keys", |a| count(a) == 100).await;
    let guard = a.begin("web-0").unwrap();
    let lease = leases(&client).await.pop().unwrap();
    let name = lease.metadata.name.as_deref().unwrap();
    client.api::<Lease>().namespace("default").delete(name, &DeleteOptions::default()).await.unwrap();
    assert_eq!(soon("a loss", guard.lost()).await, ShardLoss::Changed);
    assigned(&a, "all keys", |a| count(a) == 100).await;
    assert_ne!(leases(&client).await.pop().unwrap().metadata.uid, lease.metadata.uid);
}

#[tokio::test]
async fn leases_of_those_who_left_are_deleted() {
    let (_server, client) = cluster().await;
    let a = join(&client, "a");
    let b = join(&client, "b");
    assigned(&a, "a share", |a| a.assignment().members().len() == 2).await;
    soon("the leave", b.leave()).await;
    let name = format!("shop-{}", b.identity());
    let leases = client.api::<Lease>().namespace("default");
    wait_for(&leases, &name, conditions::deleted(), Default::default()).await.unwrap();
    assert_eq!(count(&a), 100);
}

#[tokio::test]
async fn dropping_the_last_handle_leaves() {
    let (_server, client) = cluster().await;
    let a = join(&client, "a");
    let clone = a.clone();
    assigned(&a, "all keys", |a| count(a) == 100).await;
    let guard = a.begin("web-0").unwrap();
    drop(a);
    assert!(clone.owns("web-0"));
    drop(clone);
    let b = join(&client, "b");
    assigned(&b, "the other keys", |b| count(b) == 99).await;
    assert!(guard.is_valid());
    drop(guard);
    assigned(&b, "all keys", |b| count(b) == 100).await;
}

#[tokio::test]
async fn a_replica_without_permission_tries_again_until_it_has_it() {
    let (server, admin) = cluster().await;
    let token = server.token("shopkeeper", &[]);
    let config = Config::from_kubeconfig(&server.kubeconfig_for(&token)).unwrap();
    let a = join(&Client::new(config).unwrap(), "a");
    let binding = ClusterRoleBinding {
        metadata: ObjectMeta::named("shopkeeper"),
        role_ref: RoleRef { kind: "ClusterRole".into(), name: "cluster-admin".into(), ..Default::default() },
        subjects: vec![Subject { kind: "User".into(), name: "shopkeeper".into(), ..Default::default() }],
        ..Default::default()
    };
    assert_eq!(count(&a), 0);
    admin.api::<ClusterRoleBinding>().create(&binding).await.unwrap();
    until("all keys", || count(&a) == 100).await;
}

#[tokio::test]
async fn configurations_that_cannot_be_used_are_rejected() {
    let (_server, client) = cluster().await;
    let long = "shop".repeat(16);
    let of = |name: &str, identity: &str| ShardingConfig {
        name: name.into(),
        identity: identity.into(),
        ..short()
    };
    let seconds = Duration::from_secs;
    let cases = [
        (
            ShardingConfig { namespace: "".into(), ..short() },
            "the namespace of group \"/shop\" is empty".to_owned(),
        ),
        (of("", "a"), "the name of group \"default/\" is empty".into()),
        (
            of(&long, "a"),
            format!("the name of the group \"{long}\" is invalid: must be no more than 63 bytes"),
        ),
        (
            of("Shop", "a"),
            "the name of the group \"Shop\" is invalid: a lowercase RFC 1123 subdomain must".into(),
        ),
        (of("shop", "A_1"), "the name of the Lease of this replica, \"shop-A_1-".into()),
        (of("shop", &"a".repeat(250)), "must be no more than 253".into()),
        (
            ShardingConfig { renew_deadline: seconds(3), ..short() },
            "lease_duration (3 s) must be greater than renew_deadline (3 s)".into(),
        ),
        (
            ShardingConfig { retry_period: seconds(2), ..short() },
            "renew_deadline (2 s) must be greater than retry_period (2 s) times 1.2".into(),
        ),
        (
            ShardingConfig { retry_period: Duration::ZERO, ..short() },
            "lease_duration, renew_deadline and retry_period must be greater than zero".into(),
        ),
    ];
    for (config, problem) in cases {
        let error = Sharding::join(&client, config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.starts_with("sharding: ") && text.contains(&problem), "{text}, and not {problem}");
    }
    // Two of one name are two members.
    let (a, b) = (join(&client, "a"), join(&client, "a"));
    assert_ne!(a.identity(), b.identity());
    let by_host = Sharding::join(&client, short()).unwrap();
    assert!(by_host.identity().len() > 9, "{}", by_host.identity());
}

/// A runtime of one thread, since the recorder is that of a thread.
#[cfg(feature = "metrics")]
#[tokio::test]
async fn the_members_and_the_losses_are_in_metrics() {
    let values = crate::recorder::Values::default();
    let _recorder = metrics::set_default_local_recorder(&values);
    klient_controller::sharding::describe_metrics();
    let (server, client) = cluster().await;
    let gate = Gate::default();
    let members = || values.get("klient_sharding_members{group=shop}");
    let losses = || values.get("klient_sharding_losses_total{group=shop}");
    let a = join(&gate.client(&server), "a");
    until("the first series", || members() == Some(0.0) && losses() == Some(0.0)).await;
    assigned(&a, "all keys", |a| count(a) == 100).await;
    assert_eq!(members(), Some(1.0));
    let guard = a.begin("web-0").unwrap();
    gate.close();
    assert_eq!(soon("a loss", guard.lost()).await, ShardLoss::Expired);
    until("the loss", || losses() == Some(1.0) && members() == Some(0.0)).await;
    gate.open();
    assigned(&a, "all keys", |a| count(a) == 100).await;
    until("the member", || members() == Some(1.0)).await;
    soon("the leave", a.leave()).await;
    assert_eq!((members(), losses()), (Some(0.0), Some(1.0)));
    drop(client);
}
