//! [`Reinvocation`], the state of a mutating admission that plugins share: if a webhook or a policy has changed the
//! object, all plugins run a second time, and with them those webhooks and policies whose `reinvocationPolicy` is
//! `IfNeeded`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use klient_apimachinery::values::{Map, at};
use klient_structured_merge::Managers;
use serde_json::Value;

/// The state of one mutating admission of an object.
#[derive(Default)]
pub(crate) struct Reinvocation(Mutex<State>);

#[derive(Default)]
struct State {
    is_reinvoke: bool,
    should_reinvoke: bool,
    plugins: BTreeMap<&'static str, Invoked>,
    /// `metadata.managedFields` before the first change.
    managed_fields: Option<Option<Value>>,
}

/// The webhooks or policies of a plugin that were invoked, by any identifier.
#[derive(Default)]
struct Invoked {
    /// The object as the plugin left it.
    output: Option<Map>,
    /// Those invoked with `IfNeeded`, since the last change.
    previous: BTreeSet<String>,
    /// Those to invoke in the second run.
    again: BTreeSet<String>,
}

impl Invoked {
    fn require(&mut self) {
        self.again.append(&mut self.previous);
    }
}

impl Reinvocation {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the run of a plugin. In the second run, all that the plugin has invoked before are to be invoked again if
    /// others have changed the object since.
    pub(crate) fn begin(&self, plugin: &'static str, object: Option<&Map>) {
        let mut state = self.state();
        if state.is_reinvoke {
            let invoked = state.plugins.entry(plugin).or_default();
            if invoked.output.as_ref() != object {
                invoked.require();
            }
        }
    }

    /// Ends the run of a plugin with an object.
    pub(crate) fn end(&self, plugin: &'static str, object: Option<&Map>) {
        // The second run is the last.
        let mut state = self.state();
        if !state.is_reinvoke {
            state.plugins.entry(plugin).or_default().output = object.cloned();
        }
    }

    /// Returns true if this is the first run, or a webhook or policy is to be invoked in the second.
    pub(crate) fn invokes(&self, plugin: &'static str, id: &str) -> bool {
        let state = self.state();
        !state.is_reinvoke || state.plugins.get(plugin).is_some_and(|invoked| invoked.again.contains(id))
    }

    /// Returns 0 in the first run and 1 in the second, as audit annotations number them.
    pub(crate) fn round(&self) -> usize {
        usize::from(self.state().is_reinvoke)
    }

    /// Records that a webhook or policy was invoked, and whether it has changed the object.
    pub(crate) fn invoked(&self, plugin: &'static str, id: &str, changed: bool, if_needed: bool) {
        let mut state = self.state();
        state.should_reinvoke |= changed;
        let invoked = state.plugins.entry(plugin).or_default();
        if changed {
            invoked.require();
        }
        if if_needed {
            invoked.previous.insert(id.to_owned());
        }
    }

    /// Must be called before an object is changed: see [`check_managed_fields`](Self::check_managed_fields).
    pub(crate) fn changes(&self, object: &Map) {
        let mut state = self.state();
        state.managed_fields.get_or_insert_with(|| at(object, &["metadata", "managedFields"]).cloned());
    }

    /// Begins the second run, if there is to be one.
    pub(super) fn reinvoke(&self) -> bool {
        let mut state = self.state();
        let begins = state.should_reinvoke && !state.is_reinvoke;
        state.is_reinvoke |= begins;
        begins
    }

    /// Restores the managed fields of an object if admission has made them invalid, and returns the warning.
    pub(super) fn check_managed_fields(&self, object: &mut Map) -> Option<String> {
        let before = self.state().managed_fields.take()?;
        let error = Managers::of(object).err()?;
        let metadata = klient_apimachinery::values::map_at(object, "metadata");
        klient_apimachinery::values::set(metadata, "managedFields", before.as_ref());
        Some(format!(
            ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating \
             admission controller; please fix your requests: {error}"
        ))
    }
}
