//! URLs in messages.

/// A URL without user and password, which are secret: `https://***@host`.
pub(crate) fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + "://".len()));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}***@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_user;

    #[test]
    fn user_and_password_are_masked() {
        for (url, shown) in [
            ("https://host:1/path", "https://host:1/path"),
            ("https://u:p@host/path", "https://***@host/path"),
            ("http://u:p@ss@host", "http://***@host"),
            ("u:p@host", "***@host"),
            ("host", "host"),
            ("", ""),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }
}
