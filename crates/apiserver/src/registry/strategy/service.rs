//! Services: each has cluster IPs and node ports that no other has.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;

use super::{Addresses, Paths, ReservedAddresses, Strategy};

pub(super) struct Service(pub(super) &'static ResourceSchema);

impl Strategy for Service {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn fields_reset_by_status(&self) -> Paths {
        &[&["spec"]]
    }

    fn reserve<'a>(
        &self,
        addresses: &'a Addresses,
        object: &mut Map,
        old: Option<&Map>,
        dry_run: bool,
    ) -> Result<ReservedAddresses<'a>, Vec<FieldError>> {
        addresses.reserve(object, old, dry_run)
    }

    fn occupy(&self, addresses: &Addresses, object: &Map) {
        addresses.note(object);
    }

    fn release(&self, addresses: &Addresses, old: &Map, new: Option<&Map>) {
        addresses.release(old, new);
    }
}
