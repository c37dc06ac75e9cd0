//! The name that a certificate must be for.

use http::Uri;
use rustls::pki_types::ServerName;

use super::BoxError;

/// The name of a URL's host.
pub(super) fn name_of(uri: &Uri) -> Result<ServerName<'static>, BoxError> {
    let host = uri.host().unwrap_or_default();
    // An IPv6 address has brackets in a URL.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(ServerName::try_from(bare.to_owned())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_for_the_host_of_the_url() {
        for (url, name) in [
            ("https://api.example:6443/k8s", "api.example"),
            ("https://10.0.0.1", "10.0.0.1"),
            ("https://[fd00::1]:6443", "fd00::1"),
        ] {
            assert_eq!(name_of(&url.parse().unwrap()).unwrap().to_str(), name);
        }
        assert!(name_of(&"https://a_b..c".parse().unwrap()).is_err());
    }
}
