//! EndpointSlices: they have no spec, and all but their metadata is desired.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::values::Map;

use super::{Strategy, differ_beside_metadata};

pub(super) struct EndpointSlice(pub(super) &'static ResourceSchema);

impl Strategy for EndpointSlice {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn changes_spec(&self, object: &Map, old: &Map, has_status: bool) -> bool {
        differ_beside_metadata(object, old, has_status)
    }
}
