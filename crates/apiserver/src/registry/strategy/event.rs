//! Events: no other object depends on them.

use klient_apimachinery::schema::ResourceSchema;

use super::Strategy;

pub(super) struct Event(pub(super) &'static ResourceSchema);

impl Strategy for Event {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn has_dependents(&self) -> bool {
        false
    }
}
