//! The value of the `Authorization` header.

use http::HeaderValue;

/// The value of the header for a scheme, such as `Bearer`, and its credential; it is not shown. `None` if the credential
/// has characters that no header can hold.
pub(in crate::auth) fn authorization(scheme: &str, credential: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("{scheme} {credential}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
