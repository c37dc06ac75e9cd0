//! ReplicationControllers: their deletion orphans their pods by default.

use klient_apimachinery::schema::ResourceSchema;

use super::Strategy;

pub(super) struct ReplicationController(pub(super) &'static ResourceSchema);

impl Strategy for ReplicationController {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn orphans_by_default(&self) -> bool {
        true
    }
}
