//! Jobs: their deletion orphans their pods by default.

use klient_apimachinery::schema::ResourceSchema;

use super::Strategy;

pub(super) struct Job(pub(super) &'static ResourceSchema);

impl Strategy for Job {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn orphans_by_default(&self) -> bool {
        true
    }

    fn delete_warning(&self) -> Option<&'static str> {
        Some(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them \
             or set propagationPolicy=Orphan to suppress this warning",
        )
    }
}
