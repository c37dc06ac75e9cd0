//! The containers of a pod.

use crate::validation::at::At;

/// Calls a function for each container, including init and ephemeral containers.
pub(super) fn each_container(spec: &At<'_, '_>, call: &mut dyn FnMut(&At<'_, '_>)) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        spec.get(list).items().for_each(|container| call(&container));
    }
}
