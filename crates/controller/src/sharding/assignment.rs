//! [`Assignment`], the keys that a replica may act on, and [`Assignments`], its changes.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::Str;
use tokio::sync::mpsc::UnboundedReceiver;

use super::claim::{Claim, Written};
use super::key::ShardKey;
use super::share::Share;

/// The number of assignments before the present one that are asked about keys which others claim, too.
const MAX_BEFORE: usize = 8;

/// The keys that a replica may act on, as of one moment. Clones are the same.
///
/// It does not end with the Lease: [`Sharding::owns`](super::Sharding::owns) and the guards know that, too.
#[derive(Clone)]
pub struct Assignment(Arc<Fields>);

struct Fields {
    serial: u64,
    /// The shares under all views that were published since the group was listed last, and that one before. Empty if the
    /// replica has no keys.
    shares: Vec<Share>,
    /// The claims of others that stand against this one.
    blockers: Vec<Blocker>,
    /// The assignment before: keys that it has are not given up for the claim of another, who waits for them.
    before: Option<Assignment>,
    /// The resourceVersion of the list.
    version: Str,
    written: Written,
}

/// The claim of another replica.
#[derive(Clone, Debug)]
pub(super) struct Blocker {
    pub(super) identity: Str,
    pub(super) claim: Arc<Claim>,
}

impl Blocker {
    /// The same replica claims the same keys.
    fn has_keys_of(&self, other: &Blocker) -> bool {
        self.identity == other.identity
            && self.claim.share == other.claim.share
            && self.claim.retained == other.claim.retained
    }
}

impl Assignment {
    pub(super) fn none(serial: u64) -> Self {
        let (shares, blockers) = (Vec::new(), Vec::new());
        Assignment(Arc::new(Fields {
            serial,
            shares,
            blockers,
            before: None,
            version: Str::default(),
            written: Written::new(),
        }))
    }

    /// The keys of a share that was published, by a list of the group that was made after that.
    pub(super) fn granted(
        &self,
        share: Share,
        blockers: Vec<Blocker>,
        version: Str,
        written: Written,
    ) -> Self {
        let before = (!blockers.is_empty() && !self.is_none()).then(|| self.shortened(MAX_BEFORE));
        let shares = vec![share];
        Assignment(Arc::new(Fields { serial: self.0.serial + 1, shares, blockers, before, version, written }))
    }

    /// The keys that are left while another share is published.
    pub(super) fn narrowed(&self, share: Share) -> Self {
        let mut shares = self.0.shares.clone();
        shares.push(share);
        Assignment(Arc::new(Fields { serial: self.0.serial + 1, shares, ..self.fields() }))
    }

    fn shortened(&self, depth: usize) -> Self {
        match &self.0.before {
            Some(before) if depth > 0 => {
                let before = Some(before.shortened(depth - 1));
                Assignment(Arc::new(Fields { before, ..self.fields() }))
            }
            Some(_) => Assignment(Arc::new(Fields { before: None, ..self.fields() })),
            None => self.clone(),
        }
    }

    fn fields(&self) -> Fields {
        Fields {
            serial: self.0.serial,
            shares: self.0.shares.clone(),
            blockers: self.0.blockers.clone(),
            before: self.0.before.clone(),
            version: self.0.version.clone(),
            written: self.0.written.clone(),
        }
    }

    /// Returns `true` if a key is among them.
    pub fn owns(&self, key: impl Into<ShardKey>) -> bool {
        self.has(key.into())
    }

    fn has(&self, key: ShardKey) -> bool {
        !self.is_none()
            && self.0.shares.iter().all(|share| share.has(key))
            && (self.0.blockers.iter().all(|blocker| !blocker.claim.has(key))
                || self.0.before.as_ref().is_some_and(|before| before.has(key)))
    }

    /// The identities of the replicas among which the keys are shared; empty if this one has no keys at present.
    pub fn members(&self) -> &[Str] {
        self.0.shares.last().map_or(&[], |share| share.view().identities())
    }

    /// Returns `true` if the replica has no keys at present, as before it has joined and after its Lease has expired.
    pub fn is_none(&self) -> bool {
        self.0.shares.is_empty()
    }

    /// A number that is greater for each later assignment of this replica.
    pub(crate) fn serial(&self) -> u64 {
        self.0.serial
    }

    /// The assignment is that of exactly these claims to keys. What their replicas have written since gives no key.
    pub(super) fn is_of(&self, share: &Share, blockers: &[Blocker]) -> bool {
        self.0.shares == std::slice::from_ref(share)
            && self.0.blockers.len() == blockers.len()
            && self.0.blockers.iter().zip(blockers).all(|(one, other)| one.has_keys_of(other))
    }

    pub(super) fn last_share(&self) -> Option<&Share> {
        self.0.shares.last()
    }

    pub(super) fn version(&self) -> &str {
        &self.0.version
    }

    /// The greatest resourceVersions that the other replicas had written when the group was listed, per resource.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.written.iter().map(|(resource, version)| (resource.as_str(), version.as_str()))
    }
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignment")
            .field("serial", &self.0.serial)
            .field("members", &self.members())
            .finish_non_exhaustive()
    }
}

/// The assignments of a replica, one after the other: see [`Sharding::assignments`](super::Sharding::assignments).
#[derive(Debug)]
pub struct Assignments(UnboundedReceiver<Assignment>);

impl Assignments {
    pub(super) fn new(receiver: UnboundedReceiver<Assignment>) -> Self {
        Assignments(receiver)
    }

    /// The next assignment, the present one first; `None` after the replica has left the group. None is left out, so that
    /// a key which was away for a moment is noticed. Cancel safe.
    pub async fn next(&mut self) -> Option<Assignment> {
        self.0.recv().await
    }
}
