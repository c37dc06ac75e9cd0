//! [`ScaleFields`], ownership of the number of replicas, to and from the subresource `scale`.

use std::collections::BTreeMap;

use klient_apimachinery::Str;

use crate::{FieldSet, Manager, Managers, Operation, Owned, Path};

const SCALE_VERSION: &str = "autoscaling/v1";

/// Ownership of the number of replicas: the object has it at a path of its own, its subresource `scale` at
/// `.spec.replicas`; managers of one are managers of the other.
///
/// ```
/// use klient_structured_merge::{Managers, Path, ScaleFields};
/// use serde_json::json;
///
/// let object = json!({"metadata": {"managedFields": [{
///     "manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
///     "fieldsV1": {"f:spec": {"f:paused": {}, "f:replicas": {}}},
/// }]}});
/// let scale = ScaleFields {
///     managers: Managers::of(object.as_object().expect("an object"))?,
///     api_version: "apps/v1",
///     replicas: [("apps/v1".into(), Some(Path::fields(["spec", "replicas"])))].into(),
/// };
/// assert_eq!(scale.to_scale().len(), 1);
/// // No manager owns the replicas after a write to the subresource that set no owner.
/// let left = scale.to_object(Managers::default());
/// assert!(!left.owns(&Path::fields(["spec", "replicas"])));
/// assert!(left.owns(&Path::fields(["spec", "paused"])));
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ScaleFields<'a> {
    /// The managers of the object.
    pub managers: Managers,
    /// The version of the request.
    pub api_version: &'a str,
    /// The path of the number of replicas by version; `None` for versions without `scale`.
    pub replicas: BTreeMap<Str, Option<Path>>,
}

impl ScaleFields<'_> {
    /// The managers of the subresource.
    pub fn to_scale(&self) -> Managers {
        let own = |owned: &Owned| self.path(owned).is_some_and(|path| owned.fields.has(path));
        let scale = |(manager, owned): (&Manager, &Owned)| {
            let fields = [Path::fields(["spec", "replicas"])].into_iter().collect();
            let owned = Owned { fields, api_version: SCALE_VERSION.into(), time: owned.time };
            (in_version(manager, SCALE_VERSION), owned)
        };
        self.managers.iter().filter(|(_, owned)| own(owned)).map(scale).collect()
    }

    /// The managers of the object after a write to the subresource whose managers are now `scale`. Managers in
    /// unknown versions are dropped.
    pub fn to_object(&self, scale: Managers) -> Managers {
        let mut managers = Managers::default();
        let mut scale = scale;
        for (manager, owned) in self.managers.iter() {
            let Some(path) = self.replicas.get(&owned.api_version) else { continue };
            let mut owned = owned.clone();
            // A manager with operation `Update` is another manager in the version of the subresource, upstream too:
            // its replicas come back as an entry of their own.
            if let Some(path) = path.as_ref().filter(|path| owned.fields.has(path))
                && scale.remove(manager).is_none()
            {
                owned.fields = owned.fields.difference(&FieldSet::from_iter([path.clone()]));
            }
            if !owned.fields.is_empty() {
                managers.insert(manager.clone(), owned);
            }
        }
        let replicas = self.replicas.get(self.api_version).cloned().flatten();
        let Some(replicas) = replicas else { return managers };
        for (manager, owned) in scale {
            if owned.fields.has(&Path::fields(["spec", "replicas"])) {
                let fields = FieldSet::from_iter([replicas.clone()]);
                let time = self.managers.get(&manager).and_then(|owned| owned.time);
                managers.insert(manager, Owned { fields, api_version: self.api_version.into(), time });
            }
        }
        managers
    }

    fn path(&self, owned: &Owned) -> Option<&Path> {
        self.replicas.get(&owned.api_version)?.as_ref()
    }
}

/// The manager with another version.
fn in_version(manager: &Manager, api_version: &str) -> Manager {
    match manager.operation {
        Operation::Apply => manager.clone(),
        Operation::Update => Manager { api_version: api_version.into(), ..manager.clone() },
    }
}
