//! Owner references of configurations from those of objects.

use klient_apimachinery::meta::v1::OwnerReference as Reference;

use crate::meta::v1::OwnerReference;

/// All fields of the reference, so that one of [`Reference::controller_of`] can be applied:
///
/// ```
/// # #[cfg(feature = "core")] {
/// use klient_api::core::v1::Pod;
/// use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
/// use klient_applyconfigurations::core::v1::ConfigMap;
///
/// let web = Pod { metadata: ObjectMeta::named("web-0"), ..Default::default() };
/// let settings = ConfigMap::new("web-0", "shop").owner_references([OwnerReference::controller_of(&web)]);
/// assert_eq!(settings.as_map()["metadata"]["ownerReferences"][0]["kind"], "Pod");
/// # }
/// ```
impl From<Reference> for OwnerReference {
    fn from(reference: Reference) -> Self {
        let owner = OwnerReference::new()
            .api_version(reference.api_version)
            .kind(reference.kind)
            .name(reference.name)
            .uid(reference.uid);
        let owner = match reference.controller {
            Some(controller) => owner.controller(controller),
            None => owner,
        };
        match reference.block_owner_deletion {
            Some(block) => owner.block_owner_deletion(block),
            None => owner,
        }
    }
}
