//! Quantities of resources.

use klient_apimachinery::Quantity;
use klient_apimachinery::go::quoted;

use crate::validation::at::At;
use crate::validation::resources::amount;

/// Warns of quantities that are not whole.
pub(super) fn fractions(amounts: &At<'_, '_>, resources: &[&str], warnings: &mut Vec<String>) {
    const NANOS: i128 = 1_000_000_000;
    for (resource, value) in amounts.entries().filter(|(resource, _)| resources.contains(resource)) {
        if amount(&value) % NANOS != 0 {
            let shown = Quantity::from(value.text());
            let shown = shown.canonical().map_or_else(|_| value.text().to_owned(), |text| text.to_string());
            warnings.push(format!(
                "{}[{resource}]: fractional byte value {} is invalid, must be an integer",
                amounts.path(),
                quoted(&shown)
            ));
        }
    }
}
