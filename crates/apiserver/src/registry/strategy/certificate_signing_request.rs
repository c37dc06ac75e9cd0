//! CertificateSigningRequests: no manager owns their status on create, nor their spec on update.

use klient_apimachinery::schema::ResourceSchema;

use super::{Paths, Strategy};

pub(super) struct CertificateSigningRequest(pub(super) &'static ResourceSchema);

impl Strategy for CertificateSigningRequest {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn fields_reset(&self, _has_status: bool) -> Paths {
        &[&["spec"], &["status"]]
    }

    fn fields_reset_by_status(&self) -> Paths {
        &[&["spec"], &["status", "conditions"]]
    }
}
