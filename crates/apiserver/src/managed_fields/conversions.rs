//! [`Conversions`], the conversions by a webhook that managed fields need.

use std::sync::{Mutex, PoisonError};

use klient_apimachinery::values::Map;
use klient_structured_merge::{ConvertError, Updater};
use tokio::time::Instant;

use crate::conversion::Converter;
use crate::registry::Resource;

/// Computes managed fields of a custom kind that a webhook converts.
///
/// The computation waits for nothing. It runs until it needs a conversion that is not known yet; that is awaited, and the
/// computation runs again with it. Since it needs the same conversions each time, it comes to its end.
pub(crate) struct Conversions<'a> {
    pub(crate) converter: &'a Converter,
    /// The resource of the request. As upstream, objects are converted through its version.
    pub(crate) resource: &'a Resource,
    pub(crate) deadline: Instant,
}

/// An object that is converted from one `apiVersion` to another.
#[derive(Clone, PartialEq)]
struct Wanted {
    object: Map,
    from: String,
    to: String,
}

type Known = Vec<(Wanted, Result<Map, String>)>;

impl Conversions<'_> {
    /// Returns true if objects of the kind are converted by a webhook. For others the updater needs no help.
    pub(super) fn are_awaited(&self) -> bool {
        self.resource.conversion_webhook().is_some()
    }

    /// The result of a computation that knows all conversions which it needs. It must always compute the same.
    pub(super) async fn compute<T: Send>(
        &self,
        updater: &Updater<'static>,
        compute: impl Fn(&Updater<'_>) -> T + Send + Sync,
    ) -> T {
        let hub = self.resource.info.api_version();
        let mut known = Known::new();
        loop {
            let wanted = Mutex::new(None);
            let computed = {
                let convert = |object: &Map, from: &str, to: &str| {
                    if from == hub || to == hub {
                        return find(&known, &wanted, object, from, to);
                    }
                    let object = find(&known, &wanted, object, from, &hub)?;
                    find(&known, &wanted, &object, &hub, to)
                };
                compute(&Updater { versions: updater.versions.clone(), convert: Some(&convert) })
            };
            let Some(wanted) = wanted.into_inner().unwrap_or_else(PoisonError::into_inner) else {
                return computed;
            };
            let converted = self.convert(&wanted).await;
            known.push((wanted, converted));
        }
    }

    async fn convert(&self, wanted: &Wanted) -> Result<Map, String> {
        let Wanted { object, from, to } = wanted;
        let version = |api_version: &str| {
            api_version.rsplit_once('/').map_or(api_version, |(_, version)| version).to_owned()
        };
        let (from, to) = (version(from), version(to));
        let converted =
            self.converter.convert_version(self.resource, &from, &to, object.clone(), self.deadline).await;
        converted.map_err(|failure| failure.message())
    }
}

/// A known conversion; else it is wanted, and the computation fails for now.
fn find(
    known: &Known,
    wanted: &Mutex<Option<Wanted>>,
    object: &Map,
    from: &str,
    to: &str,
) -> Result<Map, ConvertError> {
    let is_it = |one: &&(Wanted, _)| one.0.from == from && one.0.to == to && one.0.object == *object;
    match known.iter().find(is_it) {
        Some((_, converted)) => converted.clone().map_err(ConvertError::from),
        None => {
            let object = object.clone();
            let unknown = Wanted { object, from: from.to_owned(), to: to.to_owned() };
            *wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(unknown);
            Err("the conversion is awaited".into())
        }
    }
}
