//! [`Source`], an informer whose events a controller takes.

use std::fmt;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use klient_cache::{Event, Informer};

use super::predicate::Predicate;

/// An informer whose events a controller takes, with predicates (controller-runtime's `source.Kind`). An `&Informer` is
/// one without predicates.
///
/// ```
/// use klient_api::apps::v1::Deployment;
/// use klient_cache::InformerFactory;
/// use klient_controller::{Controller, Predicate, Source};
///
/// fn f(factory: &InformerFactory<klient_client::Client>) {
///     let deployments = factory.informer::<Deployment>();
///     let specs = Source::new(&deployments).filter(Predicate::generation_changed());
///     let builder = Controller::builder(specs);
/// #   let _ = builder;
/// }
/// ```
pub struct Source<K: Wire + Object> {
    pub(super) informer: Informer<K>,
    predicate: Option<Predicate<K>>,
}

impl<K: Wire + Object> Source<K> {
    /// All events of an informer.
    pub fn new(informer: &Informer<K>) -> Self {
        Source { informer: informer.clone(), predicate: None }
    }

    /// Takes only the events that a predicate passes; of several predicates all must pass them. An event whose predicate
    /// panics is taken, too; the panic is logged, and counted in
    /// [`handler_panics`](super::ControllerMetrics::handler_panics).
    #[must_use]
    #[doc(alias = "WithEventFilter")]
    #[doc(alias = "WithPredicates")]
    #[doc(alias = "predicate_filter")]
    pub fn filter(self, predicate: Predicate<K>) -> Self {
        let predicate = match self.predicate {
            Some(before) => before.and(predicate),
            None => predicate,
        };
        Source { predicate: Some(predicate), ..self }
    }

    pub(super) fn passes(&self, event: &Event<K>) -> bool {
        self.predicate.as_ref().is_none_or(|predicate| predicate.passes(event))
    }
}

impl<K: Wire + Object> From<&Informer<K>> for Source<K> {
    fn from(informer: &Informer<K>) -> Self {
        Source::new(informer)
    }
}

impl<K: Wire + Object> Clone for Source<K> {
    fn clone(&self) -> Self {
        Source { informer: self.informer.clone(), predicate: self.predicate.clone() }
    }
}

impl<K: Wire + Object> fmt::Debug for Source<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("informer", &self.informer)
            .field("predicate", &self.predicate)
            .finish()
    }
}
