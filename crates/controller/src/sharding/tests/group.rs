//! [`Group`], replicas on a server that answers at once, at times that a test sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::{MicroTime, Str};

use super::super::config::ShardingConfig;
use super::super::hands::Hands;
use super::super::key::ShardKey;
use super::super::member::{Action, Answer, Input, Member, Notice, Request};
use super::super::term::Term;
use crate::clock::{Moment, Now};

/// The keys that tests look at.
pub(super) const KEYS: u64 = 300;

/// The store of a server.
#[derive(Default)]
pub(super) struct Server {
    pub(super) leases: BTreeMap<Str, Lease>,
    pub(super) version: u64,
}

impl Server {
    pub(super) fn serve(&mut self, request: Request) -> Answer {
        let name = |lease: &Lease| lease.metadata.name.clone().unwrap();
        match request {
            Request::List => Answer::Listed {
                leases: self.leases.values().cloned().collect(),
                version: self.version.to_string().into(),
            },
            Request::Create(lease) if self.leases.contains_key(&name(&lease)) => Answer::Conflict,
            Request::Create(mut lease) => {
                lease.metadata.uid = Some(format!("uid-{}", self.version).into());
                self.store(*lease)
            }
            Request::Update(lease) => match self.stored(&lease) {
                Ok(()) => self.store(*lease),
                Err(answer) => answer,
            },
            Request::Delete(lease) => match self.stored(&lease) {
                Ok(()) => {
                    self.version += 1;
                    self.leases.remove(&name(&lease));
                    Answer::Deleted
                }
                Err(answer) => answer,
            },
        }
    }

    /// The Lease is there in the version of a request.
    fn stored(&self, lease: &Lease) -> Result<(), Answer> {
        let stored = self.leases.get(lease.metadata.name.as_deref().unwrap()).ok_or(Answer::NotFound)?;
        let (found, given) = (&stored.metadata, &lease.metadata);
        let is_same = found.uid == given.uid && found.resource_version == given.resource_version;
        if is_same { Ok(()) } else { Err(Answer::Conflict) }
    }

    pub(super) fn store(&mut self, mut lease: Lease) -> Answer {
        self.version += 1;
        lease.metadata.resource_version = Some(self.version.to_string().into());
        self.leases.insert(lease.metadata.name.clone().unwrap(), lease.clone());
        Answer::Written(Box::new(lease))
    }
}

/// Replicas on a server that answers at once, at times that a test sets, in seconds.
pub(super) struct Group {
    pub(super) server: Server,
    pub(super) now: f64,
    replicas: BTreeMap<&'static str, Replica>,
}

struct Replica {
    member: Member,
    hands: Arc<Hands>,
    has_left: bool,
}

/// A key in hand.
pub(super) struct InHand {
    term: Arc<Term>,
    key: ShardKey,
    hands: Arc<Hands>,
}

impl Group {
    /// A group that has settled.
    pub(super) fn of(replicas: &[&'static str]) -> Self {
        let mut group = Group { server: Server::default(), now: 100.0, replicas: BTreeMap::new() };
        replicas.iter().for_each(|replica| group.add(replica));
        group.settle();
        group
    }

    /// Adds a replica, which does nothing yet.
    pub(super) fn add(&mut self, identity: &'static str) {
        let config =
            ShardingConfig { namespace: "default".into(), name: "shop".into(), ..Default::default() };
        let hands = Arc::new(Hands::new());
        let random = fastrand::Rng::with_seed(1);
        let now = self.clocks().moment;
        let member = Member::new(config, identity.into(), hands.clone(), random, now);
        self.replicas.insert(identity, Replica { member, hands, has_left: false });
    }

    /// Takes a replica away, which does nothing more.
    pub(super) fn kill(&mut self, identity: &str) {
        self.replicas.remove(identity);
    }

    fn clocks(&self) -> Now {
        let time = Duration::from_secs_f64(self.now);
        Now { moment: Moment::after_boot(time), wall: MicroTime::from_unix_micros((self.now * 1e6) as i64) }
    }

    /// Lets a replica make one step.
    pub(super) fn step(&mut self, identity: &str, input: Input) -> Action {
        let now = self.clocks();
        self.replicas.get_mut(identity).unwrap().member.step(now, input)
    }

    /// Lets a replica go on until it waits or has left.
    pub(super) fn go_on(&mut self, identity: &str, mut action: Action) {
        while let Action::Send(request, _) = action {
            let answer = self.server.serve(request);
            action = self.step(identity, Input::Answer(answer));
        }
        self.replicas.get_mut(identity).unwrap().has_left = matches!(action, Action::Done);
    }

    /// Lets a replica make a cycle.
    pub(super) fn cycle(&mut self, identity: &str) {
        let action = self.step(identity, Input::Due);
        self.go_on(identity, action);
    }

    pub(super) fn stop(&mut self, identity: &str) {
        let action = self.step(identity, Input::Stop);
        self.go_on(identity, action);
    }

    /// Lets all replicas make cycles until nothing changes.
    pub(super) fn settle(&mut self) {
        for _ in 0..3 {
            self.cycle_all();
        }
    }

    pub(super) fn cycle_all(&mut self) {
        let all: Vec<_> = self
            .replicas
            .iter()
            .filter(|(_, replica)| !replica.has_left)
            .map(|(identity, _)| *identity)
            .collect();
        all.iter().for_each(|identity| self.cycle(identity));
    }

    /// Lets time pass, with a cycle of all replicas each two seconds.
    pub(super) fn pass(&mut self, seconds: f64) {
        let end = self.now + seconds;
        while self.now + 2.0 <= end {
            self.now += 2.0;
            self.cycle_all();
        }
        self.now = end;
    }

    /// The number of keys of each replica, and of nobody.
    #[track_caller]
    pub(super) fn shares(&self) -> String {
        let mut counts: BTreeMap<&str, u64> = self.replicas.keys().map(|identity| (*identity, 0)).collect();
        let mut nobody = 0;
        for key in 0..KEYS {
            let owners: Vec<_> = self.replicas.keys().filter(|identity| self.owns(identity, key)).collect();
            assert!(owners.len() <= 1, "key {key} is owned by {owners:?}");
            match owners.first() {
                Some(owner) => *counts.get_mut(**owner).unwrap() += 1,
                None => nobody += 1,
            }
        }
        let shares = counts.iter().map(|(identity, count)| format!("{identity} {count}, "));
        shares.collect::<String>() + &format!("nobody {nobody}")
    }

    pub(super) fn owns(&self, identity: &str, key: u64) -> bool {
        self.replicas[identity].hands.owns(key_of(key), self.clocks().moment)
    }

    /// The first key of a replica.
    pub(super) fn key_of(&self, identity: &str) -> u64 {
        (0..KEYS).find(|key| self.owns(identity, *key)).unwrap()
    }

    pub(super) fn begin(&self, identity: &str, key: u64) -> Option<InHand> {
        let hands = &self.replicas[identity].hands;
        let key = key_of(key);
        let (term, _) = hands.begin(key, self.clocks().moment)?;
        Some(InHand { term, key, hands: hands.clone() })
    }

    pub(super) fn is_valid(&self, in_hand: &InHand) -> bool {
        in_hand.term.valid_until(self.clocks().moment).is_ok()
    }

    pub(super) fn has_left(&self, identity: &str) -> bool {
        self.replicas[identity].has_left
    }

    /// The fencing token of a replica's keys.
    pub(super) fn token(&self, identity: &str) -> u64 {
        self.replicas[identity].hands.assignment().version().parse().unwrap()
    }

    /// The number of a replica's assignment.
    pub(super) fn serial(&self, identity: &str) -> u64 {
        self.replicas[identity].hands.assignment().serial()
    }

    /// Lets the work of a replica write to a resource.
    pub(super) fn wrote(&self, identity: &str, resource: &str, version: &str) {
        self.replicas[identity].hands.wrote(resource, version);
    }

    /// The versions that a replica knows the others to have written.
    pub(super) fn written(&self, identity: &str) -> Vec<String> {
        let assignment = self.replicas[identity].hands.assignment();
        assignment.written().map(|(resource, version)| format!("{resource} {version}")).collect()
    }

    /// The changes that a replica has told since the last call.
    pub(super) fn losses(&mut self, identity: &str) -> Vec<String> {
        let notices = self.replicas.get_mut(identity).unwrap().member.take_notices();
        let losses = notices.into_iter().filter_map(|notice| match notice {
            Notice::Lost(loss) => Some(format!("{loss:?}")),
            Notice::Members(_) => None,
        });
        losses.collect()
    }

    /// The claim of a replica as text; nothing if there is no Lease.
    pub(super) fn claim(&self, identity: &str) -> Option<String> {
        let lease = self.server.leases.get(format!("shop-{identity}").as_str())?;
        super::super::record::claim_text(lease).map(str::to_owned)
    }

    pub(super) fn lease(&mut self, identity: &str) -> Lease {
        self.server.leases[format!("shop-{identity}").as_str()].clone()
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.hands.end(&self.term, self.key);
    }
}

fn key_of(key: u64) -> ShardKey {
    ShardKey::from(&format!("default/web-{key}"))
}
