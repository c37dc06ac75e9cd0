//! Controllers that react to changes, as those of kube-apiserver and kube-controller-manager do.

mod custom_resource_definition;
mod namespace;

use crate::state::Controller;

/// All controllers of a server.
pub(crate) const ALL: &[&dyn Controller] =
    &[&custom_resource_definition::CustomResourceDefinitions, &namespace::Namespaces];
