//! [`View`], the members that a replica believes in, and [`Share`], the keys of one of them.

use std::sync::Arc;

use klient_apimachinery::Str;

use super::key::ShardKey;

/// The members that a replica believes in, in the order of their identities.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    identities: Vec<Str>,
    hashes: Vec<u64>,
}

impl View {
    pub(super) fn new(identities: impl IntoIterator<Item = Str>) -> Self {
        let mut identities: Vec<Str> = identities.into_iter().collect();
        identities.sort();
        identities.dedup();
        let hashes = identities.iter().map(|identity| ShardKey::from(identity.as_str()).0).collect();
        View { identities, hashes }
    }

    pub(super) fn identities(&self) -> &[Str] {
        &self.identities
    }

    pub(super) fn contains(&self, identity: &str) -> bool {
        self.place(identity).is_some()
    }

    fn place(&self, identity: &str) -> Option<usize> {
        self.identities.binary_search_by(|other| other.as_str().cmp(identity)).ok()
    }
}

/// The keys of one member under a view. One that is not in the view has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    view: Arc<View>,
    place: Option<usize>,
}

impl Share {
    pub(super) fn new(view: Arc<View>, identity: &str) -> Self {
        let place = view.place(identity);
        Share { view, place }
    }

    /// The share of nobody.
    pub(super) fn none() -> Self {
        Share { view: Arc::default(), place: None }
    }

    pub(super) fn view(&self) -> &Arc<View> {
        &self.view
    }

    pub(super) fn is_none(&self) -> bool {
        self.place.is_none()
    }

    /// Returns `true` for the keys of the member, by rendezvous hashing: those for which it has the greatest weight. So only
    /// the keys of a member that goes, or that one who comes gets, change hands. Equal weights are decided by the order of
    /// the identities.
    pub(super) fn has(&self, key: ShardKey) -> bool {
        let Some(place) = self.place else { return false };
        let hashes = &self.view.hashes;
        let own = (key.weight(hashes[place]), place);
        hashes.iter().enumerate().all(|(other, hash)| (key.weight(*hash), other) <= own)
    }
}
