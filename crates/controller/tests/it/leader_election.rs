//! Leader election over HTTP.

mod controllers;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::coordination::v1::Lease;
use klient_api::coordination::v1beta1;
use klient_api::rbac::v1::{ClusterRoleBinding, RoleRef, Subject};
use klient_apimachinery::MicroTime;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apiserver::TestServer;
use klient_client::{Api, Client, Config, DeleteOptions, InNamespace, Patch};
use klient_controller::leader_election::{
    ElectionEvent, LeaderCallbacks, LeaderElectionConfig, LeaderElector, Leadership, LeaseCandidate,
    LeaseLock, Loss,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::cluster::{client, cluster, soon, until};
use crate::log::Log;

/// The shortest times: a Lease lasts for whole seconds.
fn short() -> LeaderElectionConfig {
    LeaderElectionConfig {
        lease_duration: Duration::from_secs(2),
        renew_deadline: Duration::from_secs(1),
        retry_period: Duration::from_millis(100),
        ..Default::default()
    }
}

fn lock(identity: &str) -> LeaseLock {
    LeaseLock {
        namespace: "default".into(),
        name: "lock".into(),
        identity: identity.into(),
        labels: [("app", "shop")].into(),
    }
}

fn elector(client: &Client, identity: &str) -> LeaderElector {
    LeaderElector::new(client.clone(), lock(identity), short()).unwrap()
}

fn leases(client: &Client) -> Api<Lease, InNamespace> {
    client.api::<Lease>().namespace("default")
}

/// Serves LeaseCandidates, which API servers do not serve unless they are told to.
async fn define_lease_candidates(client: &Client) {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "leasecandidates.coordination.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": "coordination.k8s.io",
            "scope": "Namespaced",
            "names": {"kind": "LeaseCandidate", "plural": "leasecandidates"},
            "versions": [{"name": "v1beta1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
    client.api::<CustomResourceDefinition>().create(&definition).await.unwrap();
    let candidates = client.api::<v1beta1::LeaseCandidate>().namespace("default");
    soon("LeaseCandidates", async {
        while candidates.list(&Default::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Notes of the events of an elector.
fn notes(elector: &LeaderElector) -> Arc<Mutex<Vec<String>>> {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let sink = notes.clone();
    elector.observe(move |event| {
        let note = event.note().unwrap_or_else(|| match event {
            ElectionEvent::NewLeader { identity } => format!("new leader {identity}"),
            other => panic!("{other:?} has no note"),
        });
        sink.lock().unwrap().push(note);
    });
    notes
}

#[tokio::test]
async fn a_candidate_acquires_renews_and_releases_the_lease() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let notes = notes(&a);
    assert_eq!((a.leader().as_str(), a.is_leader()), ("", false));
    let leadership = soon("an election", a.acquire()).await;
    assert!(leadership.is_valid() && a.is_leader());
    assert!(leadership.remaining() <= Duration::from_secs(1));
    assert_eq!((a.leader().as_str(), leadership.fencing_token()), ("a", 0));
    let created = leases(&client).get("lock").await.unwrap();
    assert_eq!(created.spec.holder_identity.as_deref(), Some("a"));
    assert_eq!(created.spec.lease_duration_seconds, Some(2));
    assert_eq!(created.metadata.labels.get("app").map(|label| label.as_str()), Some("shop"));

    let first = leadership.valid_until().unwrap();
    soon("a renewal", async {
        while leadership.valid_until().unwrap() == first {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let renewed = leases(&client).get("lock").await.unwrap();
    assert!(renewed.spec.renew_time > created.spec.renew_time);
    assert_eq!(renewed.spec.acquire_time, created.spec.acquire_time);

    let clone = leadership.clone();
    soon("a release", leadership.release()).await;
    assert_eq!(clone.check(), Err(Loss::Released));
    assert_eq!(soon("a loss", clone.lost()).await, Loss::Released);
    assert_eq!(clone.remaining(), Duration::ZERO);
    let released = leases(&client).get("lock").await.unwrap();
    assert_eq!(released.spec.holder_identity.as_deref(), Some(""));
    assert_eq!(released.spec.lease_duration_seconds, Some(1));
    assert_eq!(*notes.lock().unwrap(), ["new leader a", "a became leader", "a stopped leading"]);
}

#[tokio::test]
async fn a_released_lease_is_taken_by_the_next_with_a_greater_token() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let (a, b) = (elector(&client, "a"), elector(&client, "b"));
    let of_a = soon("an election", a.acquire()).await;
    let waiting = tokio::spawn({
        let b = b.clone();
        async move { b.acquire().await }
    });
    soon("the candidate's look at the leader", async {
        while b.leader() != "a" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(of_a.is_valid() && !b.is_leader());
    drop(of_a);
    let of_b = soon("the next election", waiting).await.unwrap();
    assert_eq!(of_b.fencing_token(), 1);
    assert!(!a.is_leader() && b.is_leader());
}

#[tokio::test]
async fn a_lease_whose_holder_is_gone_is_taken_when_it_has_expired() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let config = LeaderElectionConfig { release_on_cancel: false, ..short() };
    let a = LeaderElector::new(client.clone(), lock("a"), config).unwrap();
    let of_a = soon("an election", a.acquire()).await;
    let end = of_a.valid_until().unwrap();
    drop(of_a);
    soon("the end of the campaign", a.release()).await;
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.holder_identity.as_deref(), Some("a"));
    let of_b = soon("a takeover", elector(&client, "b").acquire()).await;
    assert!(of_b.valid_until().unwrap() > end);
    assert_eq!(of_b.fencing_token(), 1);
}

#[tokio::test]
async fn a_leader_loses_its_leadership_in_an_outage_and_is_elected_again() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let (begun, mut terms) = tokio::sync::mpsc::unbounded_channel();
    let work = tokio::spawn({
        let a = a.clone();
        async move {
            a.run_with_reelection(|leadership| {
                let begun = begun.clone();
                async move {
                    begun.send(leadership.clone()).unwrap();
                    match leadership.fencing_token() {
                        0 => std::future::pending().await,
                        token => token,
                    }
                }
            })
            .await
        }
    });
    let first = soon("an election", terms.recv()).await.unwrap();
    server.stop().await;
    assert_eq!(soon("a loss", first.lost()).await, Loss::Expired);
    server.restart().await.unwrap();
    assert_eq!(soon("a second term", work).await.unwrap(), Ok(1));
    assert!(!first.is_valid());
}

#[tokio::test]
async fn a_standby_that_is_released_ends() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let _leadership = soon("an election", elector(&client, "a").acquire()).await;
    let b = elector(&client, "b");
    let standby = |is_reelected: bool| {
        let b = b.clone();
        tokio::spawn(async move {
            match is_reelected {
                false => b.run(async |_| ()).await,
                true => b.run_with_reelection(async |_| ()).await,
            }
        })
    };
    // One of them has the campaign, and the other waits for its turn.
    let standbys = [standby(false), standby(true)];
    soon("the candidate's look at the leader", async {
        while b.leader() != "a" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    soon("a release", b.release()).await;
    for standby in standbys {
        assert_eq!(soon("the end", standby).await.unwrap(), Err(Loss::Released));
    }
}

#[tokio::test]
async fn a_leader_that_is_released_from_outside_is_not_elected_again() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let work = tokio::spawn({
        let a = a.clone();
        async move {
            let work = |leadership: Leadership| {
                let begin = begin.clone();
                async move {
                    begin.send(leadership.fencing_token()).unwrap();
                    // The first term is given up by the work itself.
                    if leadership.fencing_token() == 0 {
                        leadership.release().await;
                    }
                    std::future::pending::<()>().await;
                }
            };
            a.run_with_reelection(work).await
        }
    });
    assert_eq!(soon("an election", begun.recv()).await, Some(0));
    assert_eq!(soon("another election", begun.recv()).await, Some(1));
    soon("a release", a.release()).await;
    assert_eq!(soon("the end", work).await.unwrap(), Err(Loss::Released));
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.holder_identity.as_deref(), Some(""));
}

#[tokio::test]
async fn work_is_dropped_when_the_leadership_is_lost() {
    struct Dropped(Option<oneshot::Sender<()>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.take().unwrap().send(()).unwrap();
        }
    }
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let (begin, begun) = oneshot::channel();
    let (drop, mut dropped) = oneshot::channel();
    let drop = Dropped(Some(drop));
    let run = tokio::spawn(async move {
        a.run(async move |leadership| {
            let _drop = drop;
            begin.send(leadership.fencing_token()).unwrap();
            std::future::pending::<()>().await;
        })
        .await
    });
    soon("the work", begun).await.unwrap();
    assert!(dropped.try_recv().is_err());
    let other = Patch::Merge(json!({"spec": {"holderIdentity": "b"}}));
    leases(&client).patch("lock", &other).await.unwrap();
    assert_eq!(soon("a loss", run).await.unwrap(), Err(Loss::Taken { holder: "b".into() }));
    soon("the end of the work", dropped).await.unwrap();
    // The Lease of another is left alone.
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.holder_identity.as_deref(), Some("b"));
}

#[tokio::test]
async fn a_deleted_lease_is_written_again_by_its_holder() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let leadership = soon("an election", a.acquire()).await;
    let deleted = leases(&client).get("lock").await.unwrap();
    leases(&client).delete("lock", &DeleteOptions::default()).await.unwrap();
    let again = soon("a new Lease", async {
        loop {
            match leases(&client).get_opt("lock").await.unwrap() {
                Some(lease) if lease.metadata.uid != deleted.metadata.uid => return lease,
                _ => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert_eq!(again.spec.holder_identity.as_deref(), Some("a"));
    assert!(leadership.is_valid());
}

#[tokio::test]
async fn two_processes_with_one_identity_notice_it() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let (one, two) = (elector(&client, "a"), elector(&client, "a"));
    let first = soon("an election", one.acquire()).await;
    let second = soon("an election", two.acquire()).await;
    assert_eq!(soon("a loss", first.lost()).await, Loss::SameIdentity);
    assert!(second.is_valid());
    assert!(second.fencing_token() > first.fencing_token());
}

#[tokio::test]
async fn a_candidate_without_permission_tries_again_until_it_has_it() {
    let server = TestServer::start().await.unwrap();
    let admin = client(&server);
    let token = server.token("shopkeeper", &[]);
    let config = Config::from_kubeconfig(&server.kubeconfig_for(&token)).unwrap();
    let a = elector(&Client::new(config).unwrap(), "a");
    let early = tokio::time::timeout(Duration::from_secs(1), a.acquire()).await;
    assert!(early.is_err(), "elected without permission");
    let acquire = tokio::spawn(async move { a.acquire().await });
    let binding = ClusterRoleBinding {
        metadata: ObjectMeta::named("shopkeeper"),
        role_ref: RoleRef { kind: "ClusterRole".into(), name: "cluster-admin".into(), ..Default::default() },
        subjects: vec![Subject { kind: "User".into(), name: "shopkeeper".into(), ..Default::default() }],
        ..Default::default()
    };
    admin.api::<ClusterRoleBinding>().create(&binding).await.unwrap();
    assert!(soon("an election", acquire).await.unwrap().is_valid());
}

#[tokio::test]
async fn a_candidate_without_a_name_gets_one_of_its_own() {
    let (_server, client) = cluster().await;
    let electors = [(); 2].map(|()| elector(&client, ""));
    let [a, b] = [&electors[0], &electors[1]].map(LeaderElector::identity);
    assert!(!a.starts_with('_') && a != b, "{a} and {b}");
    let leadership = soon("an election", electors[0].acquire()).await;
    assert_eq!(leases(&client).get("lock").await.unwrap().spec.holder_identity.as_deref(), Some(a));
    drop(leadership);
}

#[tokio::test]
async fn one_who_steps_down_lets_another_win() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let (a, b) = (elector(&client, "a"), elector(&client, "b"));
    let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let work = tokio::spawn(async move {
        let work = |leadership: Leadership| {
            let begin = begin.clone();
            async move {
                begin.send(leadership.fencing_token()).unwrap();
                leadership.release().await;
                std::future::pending::<()>().await;
            }
        };
        a.run_with_reelection(work).await
    });
    assert_eq!(soon("an election", begun.recv()).await, Some(0));
    let leadership = soon("another leader", b.acquire()).await;
    assert_eq!(leadership.fencing_token(), 1);
    leadership.release().await;
    assert_eq!(soon("another election", begun.recv()).await, Some(2));
    work.abort();
}

#[tokio::test]
async fn failures_of_one_kind_are_logged_once() {
    let (log, _guard) = Log::begin();
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    server.stop().await;
    // So short that the rest of its time, which is in the URL, is another for each request.
    let config = LeaderElectionConfig { retry_period: Duration::from_millis(20), ..short() };
    let a = LeaderElector::new(client.clone(), lock("a"), config).unwrap();
    let acquire = async {
        tokio::select! {
            _ = a.acquire() => panic!("there is no server"),
            () = until("three failures", || log.lines("GET https://").len() >= 3) => {}
        }
    };
    acquire.await;
    let failures = log.lines("GET https://");
    assert_eq!(failures.iter().filter(|line| line.starts_with("ERROR")).count(), 1, "{failures:#?}");
}

/// A runtime of one thread, since the recorder is that of a thread.
#[cfg(feature = "metrics")]
#[tokio::test]
async fn the_metrics_have_the_names_and_labels_of_client_go() {
    let values = crate::recorder::Values::default();
    let _recorder = metrics::set_default_local_recorder(&values);
    klient_controller::leader_election::describe_metrics();
    let (_server, client) = cluster().await;
    let a = elector(&client, "a");
    let status = |name: &str| values.get(&format!("leader_election_master_status{{name={name}}}"));
    let leadership = soon("an election", a.acquire()).await;
    assert_eq!(status("lock"), Some(1.0));
    assert_eq!(values.get("leader_election_slowpath_total{name=lock}"), None);
    // A renewal that is in conflict reads the Lease first.
    let label = Patch::Merge(json!({"metadata": {"labels": {"seen": "true"}}}));
    leases(&client).patch("lock", &label).await.unwrap();
    until("the slow path", || values.get("leader_election_slowpath_total{name=lock}") == Some(1.0)).await;
    // Another candidate of the program, by its own name.
    let config = LeaderElectionConfig { name: "standby".into(), ..short() };
    let b = LeaderElector::new(client.clone(), lock("b"), config).unwrap();
    tokio::select! {
        _ = b.acquire() => panic!("another leads"),
        () = until("a candidate", || status("standby") == Some(0.0)) => {}
    }
    leadership.release().await;
    assert_eq!(status("lock"), Some(0.0));
}

#[tokio::test]
async fn callbacks_are_those_of_client_go() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = |call: &'static str| {
        let calls = calls.clone();
        move || calls.lock().unwrap().push(call.to_owned())
    };
    let (started, stopped) = (note("started"), note("stopped"));
    let (begin, begun) = oneshot::channel();
    let leaders = calls.clone();
    let callbacks = LeaderCallbacks::new(
        move |leadership| async move {
            started();
            begin.send(leadership.is_valid()).unwrap();
        },
        stopped,
    )
    .on_new_leader(move |leader| leaders.lock().unwrap().push(format!("leader {leader}")));
    let run = a.run_callbacks(callbacks, async {
        assert!(begun.await.unwrap());
    });
    soon("the end", run).await;
    assert_eq!(*calls.lock().unwrap(), ["leader a", "started", "stopped"]);
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.holder_identity.as_deref(), Some(""));

    // One that never led is told of the end, too.
    let b = elector(&client, "b");
    let callbacks = LeaderCallbacks::new(async |_| {}, note("stopped without having led"));
    soon("the end", b.run_callbacks(callbacks, async {})).await;
    assert_eq!(calls.lock().unwrap().last().unwrap(), "stopped without having led");

    // A clone that leads is left alone.
    let leadership = soon("an election", b.acquire()).await;
    let callbacks = LeaderCallbacks::new(async |_| {}, || ());
    soon("the end", b.run_callbacks(callbacks, async {})).await;
    assert!(leadership.is_valid());
}

#[tokio::test]
async fn the_health_check_fails_while_the_work_of_a_lost_term_goes_on() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let a = elector(&client, "a");
    let tolerance = Duration::from_millis(100);
    a.check(tolerance).unwrap();
    let leadership = soon("an election", a.acquire()).await;
    a.check(tolerance).unwrap();
    server.stop().await;
    soon("a loss", leadership.lost()).await;
    let error = soon("a failing check", async {
        loop {
            match a.check(tolerance) {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    })
    .await;
    let text = error.to_string();
    assert!(text.contains("goes on although lease \"default/lock\" was last renewed 2 s ago"), "{text}");
    drop(leadership);
    a.check(tolerance).unwrap();
}

#[tokio::test]
async fn a_coordinated_leader_is_picked_by_the_control_plane_and_steps_down_for_another() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    define_lease_candidates(&client).await;
    let candidate = LeaseCandidate {
        namespace: "default".into(),
        name: "a".into(),
        lease_name: "lock".into(),
        binary_version: "1.2.0".into(),
        emulation_version: "1.2.0".into(),
        ..Default::default()
    };
    let candidates = client.api::<v1beta1::LeaseCandidate>().namespace("default");
    let standing = tokio::spawn({
        let client = client.clone();
        async move { candidate.run(&client).await }
    });
    let renewed_after = async |time: Option<MicroTime>| loop {
        match candidates.get_opt("a").await.unwrap() {
            Some(candidate) if candidate.spec.renew_time > time => return candidate,
            _ => tokio::task::yield_now().await,
        }
    };
    let created = soon("a LeaseCandidate", renewed_after(None)).await;
    assert_eq!(created.spec.strategy, "OldestEmulationVersion");

    // The control plane asks for a sign of life.
    let ping = MicroTime::from_unix_micros(created.spec.renew_time.unwrap().unix_micros() + 1);
    let ask = Patch::Merge(json!({"spec": {"pingTime": ping.to_string()}}));
    candidates.patch("a", &ask).await.unwrap();
    soon("a sign of life", renewed_after(Some(ping))).await;
    candidates.delete("a", &DeleteOptions::default()).await.unwrap();
    soon("a new LeaseCandidate", renewed_after(None)).await;
    standing.abort();

    // It picks the holder.
    let config = LeaderElectionConfig { coordinated: true, ..short() };
    let a = LeaderElector::new(client.clone(), lock("a"), config).unwrap();
    let acquire = tokio::spawn({
        let a = a.clone();
        async move { a.acquire().await }
    });
    let mut lease = Lease { metadata: ObjectMeta::named("lock"), ..Default::default() };
    lease.spec.holder_identity = Some("a".into());
    lease.spec.lease_duration_seconds = Some(5);
    lease.spec.strategy = Some("OldestEmulationVersion".into());
    leases(&client).create(&lease).await.unwrap();
    let leadership = soon("an election", acquire).await.unwrap();
    let prefer = Patch::Merge(json!({"spec": {"preferredHolder": "b"}}));
    leases(&client).patch("lock", &prefer).await.unwrap();
    let end_of_term = Loss::EndOfTerm { preferred_holder: "b".into() };
    assert_eq!(soon("the end of the term", leadership.lost()).await, end_of_term);
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.strategy.as_deref(), Some("OldestEmulationVersion"));
}

#[tokio::test]
async fn configurations_that_client_go_rejects_are_rejected() {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    let times = |lease, renew, retry| LeaderElectionConfig {
        lease_duration: Duration::from_millis(lease),
        renew_deadline: Duration::from_millis(renew),
        retry_period: Duration::from_millis(retry),
        ..Default::default()
    };
    let zero = "lease_duration, renew_deadline and retry_period must be greater than zero";
    let cases = [
        (LeaseLock { name: "".into(), ..lock("a") }, short(), "the name of lock \"default/\" is empty"),
        (
            LeaseLock { namespace: "".into(), ..lock("a") },
            short(),
            "the namespace of lock \"/lock\" is empty",
        ),
        (lock("a"), times(0, 0, 0), zero),
        (lock("a"), times(15000, 10000, 0), zero),
        (
            lock("a"),
            times(10000, 10000, 2000),
            "lease_duration (10 s) must be greater than renew_deadline (10 s)",
        ),
        (
            lock("a"),
            times(15000, 2400, 2000),
            "renew_deadline (2.4 s) must be greater than retry_period (2 s) times 1.2",
        ),
        (
            lock("a"),
            times(2_147_483_647_000, 10000, 2000),
            "lease_duration (2147483647 s) must be below 2^31 - 1 seconds",
        ),
        (
            lock("a"),
            LeaderElectionConfig { lease_duration: Duration::MAX, ..short() },
            "lease_duration (18446744073709552000 s) must be below 2^31 - 1 seconds",
        ),
        (
            lock("a"),
            LeaderElectionConfig { retry_period: Duration::MAX, ..short() },
            "renew_deadline (1 s) must be greater than retry_period (18446744073709552000 s) times 1.2",
        ),
    ];
    for (lock, config, problem) in cases {
        let error = LeaderElector::new(client.clone(), lock, config).unwrap_err();
        assert_eq!(error.to_string(), format!("leader election: {problem}"));
    }
    LeaderElector::new(client, lock("a"), times(15000, 2401, 2000)).unwrap();
}
