//! Nodes: the status is set on create, as a kubelet registers its node together with its status.

use klient_apimachinery::schema::ResourceSchema;

use super::Strategy;

pub(super) struct Node(pub(super) &'static ResourceSchema);

impl Strategy for Node {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn keeps_status(&self) -> bool {
        true
    }
}
