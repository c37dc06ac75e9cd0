//! The objects that go with an object when it is deleted: those that it owns, directly or through others, of all kinds; those in
//! a namespace; those of a CustomResourceDefinition.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use klient_apimachinery::codec::ManagedFields;
use klient_apimachinery::meta::v1::OwnerReference;
use klient_apimachinery::{Object as _, Str, Unstructured};
use klient_client::{ApiResource, ListOptions};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::path_of;
use crate::failure::{Code, Failure};
use crate::identity::Identity;

/// The limit of objects in a page of a list.
const PAGE: u32 = 500;

/// The limit of kinds that are looked at.
const KINDS: usize = 500;

/// The limit of objects that are kept: of those that have owners, or are in the namespace.
const KEPT: usize = 10_000;

/// The number of lists of one request that wait for their turn among those of the user.
const AT_A_TIME: usize = 8;

/// The longest wait for all lists.
const PATIENCE: Duration = Duration::from_secs(10);

/// The objects that go with an object, and the kinds that could not be looked at as a whole, with the reasons.
#[derive(Default)]
pub(super) struct Owned {
    pub(super) items: Vec<Value>,
    pub(super) problems: Vec<Value>,
}

/// A list of a kind.
struct List<'a> {
    resource: &'a ApiResource,
    namespace: Option<&'a str>,
    /// Its objects go with the root, whoever owns them: they are in the namespace, or of the definition.
    belongs: bool,
}

/// An object that may be owned by the root.
struct Item<'a> {
    resource: &'a ApiResource,
    namespace: Option<Str>,
    name: Str,
    uid: Str,
    owners: Vec<OwnerReference>,
    belongs: bool,
}

/// The place of an item below the root.
struct Place {
    owner: Str,
    depth: usize,
}

impl Owned {
    /// Looks for the objects that go with `root`, down to `depth` owners. A kind that cannot be listed is among the problems.
    ///
    /// # Errors
    ///
    /// If the kinds of the cluster are not known.
    pub(super) async fn find(
        identity: &Identity,
        resource: &ApiResource,
        root: &Unstructured,
        depth: usize,
    ) -> Result<Owned, Failure> {
        if depth == 0 {
            return Ok(Owned::default());
        }
        let served = identity.discovery.resources().await?;
        let mut lists = lists(served.preferred(), resource, root);
        let mut problems: Vec<Value> =
            (lists.iter().skip(KINDS)).map(|list| list.problem(&too_many("kinds", KINDS))).collect();
        lists.truncate(KINDS);
        let (kept, deadline) = (AtomicUsize::new(0), Instant::now() + PATIENCE);
        let kept = &kept;
        let mut walks = Vec::with_capacity(lists.len());
        for list in &lists {
            walks.push(async move {
                let mut items = Vec::new();
                let walked = timeout_at(deadline, list.walk(identity, kept, &mut items)).await;
                let walked = walked.unwrap_or_else(|_| {
                    let problem = format!("they were not listed within {} s", PATIENCE.as_secs());
                    Err(Failure::new(Code::NotSynced, problem))
                });
                (list, items, walked)
            });
        }
        // In the order of the kinds, whichever is answered first.
        let walked: Vec<_> = futures_util::stream::iter(walks).buffered(AT_A_TIME).collect().await;
        let mut items: HashMap<Str, Item<'_>> = HashMap::new();
        for (list, found, walked) in walked {
            // An object that is served by two groups has one uid.
            items.extend(found.into_iter().map(|item| (item.uid.clone(), item)));
            match walked {
                // The kind was removed meanwhile.
                Err(failure) if failure.code == Code::NotFound => {}
                Err(failure) => problems.push(list.problem(&failure)),
                Ok(()) => {}
            }
        }
        items.remove(root.uid());
        Ok(Owned { items: shown(&items, root.uid(), depth), problems })
    }
}

/// The lists in which objects that go with the root may be.
fn lists<'a>(
    served: impl Iterator<Item = &'a ApiResource>,
    resource: &ApiResource,
    root: &'a Unstructured,
) -> Vec<List<'a>> {
    let is = |group: &str, plural: &str| resource.info.group == group && resource.info.plural == plural;
    let (is_namespace, is_definition) =
        (is("", "namespaces"), is("apiextensions.k8s.io", "customresourcedefinitions"));
    let text = |path: &[&str]| root.at(path).and_then(Value::as_str).unwrap_or_default();
    let defined = (text(&["spec", "group"]), text(&["spec", "names", "plural"]));
    let candidates = served.filter(|resource| {
        // What cannot be deleted is made up for each request, such as metrics. Events go by their age.
        resource.has_verb("list") && resource.has_verb("delete") && resource.info.plural != "events"
    });
    let list = |resource: &'a ApiResource| {
        let info = &resource.info;
        let (namespace, belongs) = match root.namespace() {
            // Objects of a namespace own only others of it.
            Some(_) if !info.namespaced => return None,
            Some(namespace) => (Some(namespace), false),
            None if is_namespace && info.namespaced => (Some(root.name()), true),
            None => (None, is_definition && (&*info.group, &*info.plural) == defined),
        };
        Some(List { resource, namespace, belongs })
    };
    candidates.filter_map(list).collect()
}

impl<'a> List<'a> {
    /// Adds the objects that have owners, or belong to the root.
    async fn walk(
        &self,
        identity: &Identity,
        kept: &AtomicUsize,
        items: &mut Vec<Item<'a>>,
    ) -> Result<(), Failure> {
        let _turn = identity.lists.acquire().await.expect("it is never closed");
        let all = identity.client.metadata(self.resource);
        let all = match self.namespace {
            Some(namespace) => all.namespace(namespace),
            None => all,
        };
        let mut options =
            ListOptions { limit: Some(PAGE), managed_fields: ManagedFields::Skip, ..ListOptions::default() };
        loop {
            let page = all.list(&options).await?;
            for item in page.items {
                let owners = item.owner_references();
                if owners.is_empty() && !self.belongs {
                    continue;
                }
                if kept.fetch_add(1, Ordering::Relaxed) >= KEPT {
                    return Err(too_many("objects", KEPT));
                }
                items.push(Item {
                    resource: self.resource,
                    namespace: item.namespace().map(Str::from),
                    name: item.name().into(),
                    uid: item.uid().into(),
                    owners: owners.to_vec(),
                    belongs: self.belongs,
                });
            }
            options.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if options.continue_token.is_none() {
                return Ok(());
            }
        }
    }

    fn problem(&self, failure: &Failure) -> Value {
        json!({ "part": self.resource.info.group_resource(), "error": failure.to_value() })
    }
}

fn too_many(what: &str, limit: usize) -> Failure {
    Failure::new(Code::TooManyObjects, format!("there are more than {limit} {what} to look at"))
}

/// The items below the root, down to a depth, ordered by kind and name.
fn shown(items: &HashMap<Str, Item<'_>>, root: &str, depth: usize) -> Vec<Value> {
    let places = places(items, root);
    let staying = staying(items, &places, root);
    let mut shown: Vec<(&Item<'_>, &Place)> = places
        .iter()
        .filter(|(_, place)| place.depth <= depth)
        .map(|(uid, place)| (&items[*uid], place))
        .collect();
    shown.sort_by_key(|(item, _)| (&*item.resource.info.kind, &item.namespace, &item.name));
    let value = |(item, place): (&Item<'_>, &Place)| {
        let others = item.owners.iter().filter(|owner| owner.uid != root && !places.contains_key(&owner.uid));
        json!({
            "apiVersion": item.resource.info.api_version(),
            "kind": item.resource.info.kind,
            "namespace": item.namespace,
            "name": item.name,
            "uid": item.uid,
            "owner": place.owner,
            "depth": place.depth,
            "goes": !staying.contains(&*item.uid),
            "others": others.map(|owner| json!({ "kind": owner.kind, "name": owner.name })).collect::<Vec<_>>(),
            "path": path_of(item.resource),
        })
    };
    shown.into_iter().map(value).collect()
}

/// The places of the items that are reached from the root, each by the shortest way.
fn places<'a>(items: &'a HashMap<Str, Item<'_>>, root: &str) -> HashMap<&'a Str, Place> {
    let mut children: HashMap<&str, Vec<&Str>> = HashMap::new();
    for (uid, item) in items {
        let owners = item.owners.iter().map(|owner| &*owner.uid);
        // In a namespace, an owner is known if it is there, too.
        let owners: Vec<&str> =
            owners.filter(|owner| !item.belongs || *owner == root || items.contains_key(*owner)).collect();
        if owners.is_empty() && item.belongs {
            children.entry(root).or_default().push(uid);
        }
        for owner in owners {
            children.entry(owner).or_default().push(uid);
        }
    }
    let mut places: HashMap<&Str, Place> = HashMap::new();
    let mut next = VecDeque::from([(root, 1)]);
    while let Some((owner, at)) = next.pop_front() {
        for &uid in children.get(owner).into_iter().flatten() {
            // Owners that own each other are there once.
            if !places.contains_key(uid) {
                places.insert(uid, Place { owner: owner.into(), depth: at });
                next.push_back((&**uid, at + 1));
            }
        }
    }
    places
}

/// The items that stay when the root goes, since they have an owner that stays. One that belongs to the root always goes.
fn staying<'a>(
    items: &'a HashMap<Str, Item<'_>>,
    places: &HashMap<&Str, Place>,
    root: &str,
) -> HashSet<&'a str> {
    let mut next: Vec<&Str> = Vec::new();
    let mut owned: HashMap<&str, Vec<&Str>> = HashMap::new();
    for (uid, item) in items.iter().filter(|(uid, item)| places.contains_key(uid) && !item.belongs) {
        for owner in &item.owners {
            owned.entry(&*owner.uid).or_default().push(uid);
        }
        if item.owners.iter().any(|owner| owner.uid != root && !places.contains_key(&owner.uid)) {
            next.push(uid);
        }
    }
    let mut staying: HashSet<&str> = HashSet::new();
    while let Some(uid) = next.pop() {
        if staying.insert(uid) {
            next.extend(owned.get(&**uid).into_iter().flatten());
        }
    }
    staying
}
