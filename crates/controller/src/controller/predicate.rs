//! [`Predicate`], a filter of events.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::labels::Selector;
use klient_cache::{Cached, Event};

/// A filter of the events of a [`Source`](super::Source): an event that does not pass leads to no reconcile
/// (controller-runtime's `Predicate`).
///
/// The predicates of changes (`…_changed`) pass objects that are added and deleted, and those that were deleted and
/// created again between two events. A predicate that drops what a reconciler acts on makes it miss changes: it is for
/// changes that the reconciler does not look at, such as those of its own status.
///
/// ```
/// use klient_api::apps::v1::Deployment;
/// use klient_controller::Predicate;
///
/// let spec_or_labels =
///     Predicate::<Deployment>::generation_changed().or(Predicate::labels_changed());
/// let is_large = Predicate::object(|deployment: &klient_cache::Cached<Deployment>| {
///     deployment.spec.replicas.unwrap_or(1) > 10
/// });
/// let either = spec_or_labels.and(is_large.not());
/// # let _ = either;
/// ```
pub struct Predicate<K>(Arc<Test<K>>);

type Test<K> = dyn Fn(&Event<K>) -> bool + Send + Sync;

impl<K: Wire + Object> Predicate<K> {
    /// Passes the events for which a function returns true.
    pub fn new(passes: impl Fn(&Event<K>) -> bool + Send + Sync + 'static) -> Self {
        Predicate(Arc::new(passes))
    }

    /// Passes the events of objects for which a function returns true. Of an update, and of a deletion, either state is
    /// enough, so that the reconciler is told of an object that no longer passes. A deletion whose states are not known
    /// passes.
    pub fn object(passes: impl Fn(&Cached<K>) -> bool + Send + Sync + 'static) -> Self {
        Self::new(move |event| match event {
            Event::Updated { old, new } => passes(new) || passes(old),
            // The final state alone may not pass, and the state before it may have been told.
            Event::Deleted(deleted) => {
                let mut states = deleted.known.iter().chain(&deleted.object).peekable();
                states.peek().is_none() || states.any(&passes)
            }
            other => other.object().is_none_or(&passes),
        })
    }

    /// Passes the events of objects whose labels match.
    #[doc(alias = "LabelSelectorPredicate")]
    pub fn label_selector(selector: Selector) -> Self {
        Self::object(move |object| selector.matches(|key| object.labels().get(key)))
    }

    /// Passes updates that change `metadata.generation`, which counts the desired states: not those of status and
    /// metadata. An object is asked for its deletion with a new generation. Kinds that do not count it, such as
    /// ConfigMaps, pass always.
    #[doc(alias = "GenerationChangedPredicate")]
    pub fn generation_changed() -> Self {
        Self::changed(|old, new| old.generation().is_none() || old.generation() != new.generation())
    }

    /// Passes updates that change the object at all: not those of a resync.
    #[doc(alias = "ResourceVersionChangedPredicate")]
    pub fn resource_version_changed() -> Self {
        Self::changed(|old, new| old.resource_version() != new.resource_version())
    }

    /// Passes updates that change labels.
    #[doc(alias = "LabelChangedPredicate")]
    pub fn labels_changed() -> Self {
        Self::changed(|old, new| !old.labels().iter().eq(new.labels().iter()))
    }

    /// Passes updates that change annotations.
    #[doc(alias = "AnnotationChangedPredicate")]
    pub fn annotations_changed() -> Self {
        Self::changed(|old, new| !Object::annotations(&**old).eq(Object::annotations(&**new)))
    }

    /// Passes updates that change finalizers.
    pub fn finalizers_changed() -> Self {
        Self::changed(|old, new| !Object::finalizers(&**old).eq(Object::finalizers(&**new)))
    }

    /// Passes objects that are gone, or begin to wait for their finalizers or their grace period; nothing else.
    pub fn deletion() -> Self {
        Self::new(|event| match event {
            Event::Deleted(_) => true,
            Event::Added { object, .. } => object.deletion_timestamp().is_some(),
            Event::Updated { old, new } => {
                new.deletion_timestamp().is_some()
                    && (old.deletion_timestamp().is_none() || old.uid() != new.uid())
            }
            _ => false,
        })
    }

    /// Passes updates between two states of one object for which a function returns true, and other events.
    fn changed(has_changed: impl Fn(&Cached<K>, &Cached<K>) -> bool + Send + Sync + 'static) -> Self {
        Self::new(move |event| match event {
            Event::Updated { old, new } => old.uid() != new.uid() || has_changed(old, new),
            _ => true,
        })
    }

    /// Passes what both pass.
    pub fn and(self, other: Self) -> Self {
        Self::new(move |event| self.passes(event) && other.passes(event))
    }

    /// Passes what one of them passes.
    pub fn or(self, other: Self) -> Self {
        Self::new(move |event| self.passes(event) || other.passes(event))
    }

    /// Passes what this one does not. Negate a condition on the object within [`object`](Self::object), which asks for
    /// both states of an update.
    #[expect(clippy::should_implement_trait, reason = "named as `and` and `or` are")]
    pub fn not(self) -> Self {
        Self::new(move |event| !self.passes(event))
    }

    /// Returns true if an event passes.
    pub fn passes(&self, event: &Event<K>) -> bool {
        (self.0)(event)
    }
}

impl<K> Clone for Predicate<K> {
    fn clone(&self) -> Self {
        Predicate(self.0.clone())
    }
}

impl<K> fmt::Debug for Predicate<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predicate").finish_non_exhaustive()
    }
}
