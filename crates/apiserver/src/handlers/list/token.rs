//! [`Token`], where a list goes on.

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{DecodeError, Engine as _};
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::syntax;
use serde::{Deserialize, Serialize};

use crate::respond;
use crate::status::{Failure, Result};

/// As Go, which does not mind bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

const VERSION: &str = "meta.k8s.io/v1";

/// Where a list goes on, as upstream writes it.
#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    v: String,
    pub(super) rv: i64,
    start: String,
}

impl Token {
    pub(super) fn new(rv: i64, start: String) -> Token {
        Token { v: VERSION.to_owned(), rv, start }
    }

    /// Reads a token.
    ///
    /// # Errors
    ///
    /// 400 in the server's words.
    pub(super) fn decode(text: &str) -> Result<Token> {
        let refuse = |problem: &str| {
            Failure::bad_request(format!("invalid continue token: continue key is not valid: {problem}"))
        };
        let bytes = BASE64.decode(text).map_err(|error| match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => {
                refuse(&format!("illegal base64 data at input byte {at}"))
            }
            _ => refuse(&format!("illegal base64 data at input byte {}", text.len())),
        })?;
        let token: Token = serde_json::from_slice(&bytes)
            .map_err(|error| refuse(&syntax::problem(&bytes).unwrap_or_else(|| error.to_string())))?;
        if token.v != VERSION {
            return Err(refuse(&format!(
                "server does not recognize this encoded version {}",
                quoted(&token.v)
            )));
        }
        if token.rv == 0 {
            return Err(refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
        }
        if token.start.is_empty() {
            return Err(refuse("encoded start key empty (version meta.k8s.io/v1)"));
        }
        // Nobody is to climb out of the namespace.
        if token.relative().split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(refuse(&token.start));
        }
        Ok(token)
    }

    /// The key from which the list goes on.
    pub(super) fn key(&self, namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => format!("{namespace}/{}", self.relative()),
            None => self.relative().to_owned(),
        }
    }

    fn relative(&self) -> &str {
        self.start.strip_prefix('/').unwrap_or(&self.start)
    }

    /// The same place in the list as it is by then.
    pub(super) fn without_version(self) -> Token {
        Token { rv: -1, ..self }
    }

    pub(super) fn encode(&self) -> String {
        BASE64.encode(respond::to_bytes(self))
    }
}
