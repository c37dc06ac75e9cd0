//! [`Conversion`], the conversions between the versions of a custom resource.

mod object;
mod review;

use std::any::Any;
use std::convert::Infallible;
use std::fmt;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Resource, ResourceInfo};

pub(crate) use review::{convert, failed};

/// The conversions between the versions of a custom resource, through one of them, the hub (controller-runtime's `Hub` and
/// `Convertible`). It has all fields that any version has; most often it is the version that is stored.
///
/// Each other version has `From` or `TryFrom` in both directions. Metadata are those of the original, but for labels and
/// annotations, which a conversion may change, and with which it keeps what a version has no field for. A conversion that
/// leaves `metadata` empty keeps these, too.
///
/// ```
/// use klient_apimachinery::custom_resource;
/// use klient_webhook::{Conversion, Webhooks};
///
/// mod v1 {
///     klient_apimachinery::custom_resource! {
///         group: "shop.example", version: "v1", kind: "Lamp", plural: "lamps", scope: Namespaced;
///         pub struct Lamp {
///             pub watts: u32,
///         }
///     }
/// }
///
/// mod v2 {
///     klient_apimachinery::custom_resource! {
///         group: "shop.example", version: "v2", kind: "Lamp", plural: "lamps", scope: Namespaced;
///         pub struct Lamp {
///             pub power: String,
///         }
///     }
/// }
///
/// impl From<v1::Lamp> for v2::Lamp {
///     fn from(lamp: v1::Lamp) -> Self {
///         v2::Lamp { metadata: lamp.metadata, power: format!("{}W", lamp.watts), ..Default::default() }
///     }
/// }
///
/// impl TryFrom<v2::Lamp> for v1::Lamp {
///     type Error = String;
///
///     fn try_from(lamp: v2::Lamp) -> Result<Self, String> {
///         let watts = lamp.power.strip_suffix('W').and_then(|watts| watts.parse().ok());
///         let watts = watts.ok_or_else(|| format!("spec.power: {} is not in watts", lamp.power))?;
///         Ok(v1::Lamp { metadata: lamp.metadata, watts, ..Default::default() })
///     }
/// }
///
/// let conversion = Conversion::<v2::Lamp>::new().version::<v1::Lamp>();
/// let webhooks = Webhooks::builder().conversion(conversion).build()?;
/// # Ok::<(), klient_webhook::Error>(())
/// ```
#[doc(alias = "Hub")]
#[doc(alias = "Convertible")]
pub struct Conversion<H> {
    versions: Versions,
    hub: std::marker::PhantomData<fn(H) -> H>,
}

/// An object of the hub's type.
type Hub = Box<dyn Any>;

/// Reads the JSON of an object as the hub.
type ToHub = Box<dyn Fn(&[u8]) -> Result<Hub, String> + Send + Sync>;

/// Writes the hub as the JSON of an object of a version.
type FromHub = Box<dyn Fn(Hub) -> Result<Vec<u8>, String> + Send + Sync>;

/// The versions of a resource.
pub(crate) struct Versions {
    /// The hub.
    pub(crate) info: ResourceInfo,
    versions: Vec<Version>,
}

struct Version {
    info: ResourceInfo,
    to_hub: ToHub,
    from_hub: FromHub,
}

impl<H: Resource + Wire> Conversion<H> {
    /// A conversion with the hub alone.
    pub fn new() -> Self {
        let hub = Version::new::<H, H, _, _>(Ok::<H, Infallible>, Ok::<H, Infallible>);
        Conversion {
            versions: Versions { info: H::INFO, versions: vec![hub] },
            hub: std::marker::PhantomData,
        }
    }

    /// Adds another version.
    pub fn version<V>(mut self) -> Self
    where
        V: Resource + Wire + TryFrom<H>,
        H: TryFrom<V>,
        <V as TryFrom<H>>::Error: fmt::Display,
        <H as TryFrom<V>>::Error: fmt::Display,
    {
        self.versions.versions.push(Version::new::<H, V, _, _>(H::try_from, V::try_from));
        self
    }

    pub(crate) fn into_versions(self) -> Versions {
        self.versions
    }
}

impl<H: Resource + Wire> Default for Conversion<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> fmt::Debug for Conversion<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Conversion({} of {}: {})",
            self.versions.info.kind,
            self.versions.info.group,
            self.versions.names()
        )
    }
}

impl Versions {
    /// A reason for which the versions are not those of one resource.
    pub(crate) fn problem(&self) -> Option<String> {
        let hub = &self.info;
        for (index, version) in self.versions.iter().enumerate() {
            let other = &version.info;
            if (&other.group, &other.kind) != (&hub.group, &hub.kind) {
                return Some(format!(
                    "conversion of {} of {}: {} of {} is another kind",
                    hub.kind, hub.group, other.kind, other.group
                ));
            }
            if self.versions[..index].iter().any(|earlier| earlier.info.version == other.version) {
                let (kind, group, version) = (&hub.kind, &hub.group, &other.version);
                return Some(format!("conversion of {kind} of {group}: version {version} is there twice"));
            }
        }
        None
    }

    /// The names of the versions.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.versions.iter().map(|version| &*version.info.version).collect();
        names.join(", ")
    }

    fn version(&self, name: &str) -> Result<&Version, String> {
        self.versions.iter().find(|version| version.info.version == name).ok_or_else(|| {
            let (kind, group, names) = (&self.info.kind, &self.info.group, self.names());
            format!("{kind} of {group} has no version {name}: there are {names}")
        })
    }
}

impl Version {
    fn new<H, V, E, F>(
        to_hub: impl Fn(V) -> Result<H, E> + Send + Sync + 'static,
        from_hub: impl Fn(H) -> Result<V, F> + Send + Sync + 'static,
    ) -> Self
    where
        H: 'static,
        V: Resource + Wire,
        E: fmt::Display,
        F: fmt::Display,
    {
        Version {
            info: V::INFO,
            to_hub: Box::new(move |json| {
                let object = V::from_json(json).map_err(|error| error.to_string())?;
                let hub = to_hub(object).map_err(|error| error.to_string())?;
                Ok(Box::new(hub) as Hub)
            }),
            from_hub: Box::new(move |hub| {
                let hub = hub.downcast::<H>().expect("all versions of a conversion have one hub");
                let object = from_hub(*hub).map_err(|error| error.to_string())?;
                let mut json = Vec::new();
                object.to_json(&mut json);
                Ok(json)
            }),
        }
    }
}
