//! Comparison of resourceVersions (KEP-5504).

use std::cmp::Ordering;

/// Compares two resourceVersions of one resource. Since Kubernetes 1.35 they are decimal numbers of any length, and
/// those of all earlier servers were too.
///
/// ```
/// use klient_apimachinery::compare_resource_versions;
/// use std::cmp::Ordering;
///
/// assert_eq!(compare_resource_versions("99", "100"), Some(Ordering::Less));
/// assert_eq!(compare_resource_versions("0", "7"), None);
/// assert_eq!(compare_resource_versions("07", "7"), None);
/// ```
///
/// `None` if one cannot be the version of an object: empty, zero, with leading zeros, or with anything but digits.
pub fn compare_resource_versions(one: &str, other: &str) -> Option<Ordering> {
    let is_version = |text: &str| matches!(text.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    (is_version(one) && is_version(other)).then(|| one.len().cmp(&other.len()).then_with(|| one.cmp(other)))
}
