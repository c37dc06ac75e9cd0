//! The expiry of an ID token, which is a JWT. Its signature is for the server to verify.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The time before its expiry from which on a token is not used, as in client-go: clocks differ, and a request takes
/// its time.
const MARGIN: Duration = Duration::from_secs(10);

/// Returns true if a token can be used for a request.
pub(super) fn is_valid(token: &str) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    expiry(token).is_some_and(|expiry| now + MARGIN < expiry)
}

/// The expiry of a token, since 1970; `None` if it is no JWT or has none.
pub(super) fn expiry(token: &str) -> Option<Duration> {
    let mut parts = token.split('.');
    let (_, payload) = (parts.next()?, parts.next()?);
    parts.next()?;
    if parts.next().is_some() {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    Duration::try_from_secs_f64(claims["exp"].as_f64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_is_valid_until_ten_seconds_before_its_expiry() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        for (token, valid) in [
            (token(&format!(r#"{{"exp":{}}}"#, now + 60)), true),
            (token(&format!(r#"{{"exp":{}.5}}"#, now + 60)), true),
            (token(&format!(r#"{{"exp":{}}}"#, now + 5)), false),
            (token(r#"{"exp":"tomorrow"}"#), false),
            (token("{}"), false),
            (token("no JSON"), false),
            ("opaque".to_owned(), false),
            ("a.b.c.d".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_valid(&token), valid, "{token}");
        }
    }
}
