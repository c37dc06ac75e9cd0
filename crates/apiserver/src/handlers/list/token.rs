//! [`Token`], the `continue` token of a list.

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{DecodeError, Engine as _};
use klient_apimachinery::go::json_type;
use klient_apimachinery::schema::{Field, Schema, Type};
use klient_apimachinery::values::{self, Map, Parsed, text_at};
use serde::Serialize;
use serde_json::Value;

use crate::respond;
use crate::status::{Failure, Result};

/// As Go, which does not mind bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

const VERSION: &str = "meta.k8s.io/v1";

static SCHEMA: Schema = Schema::new(
    "storage",
    "continueToken",
    &[
        Field { json: "v", ty: Type::String, ..Field::PLAIN },
        Field { json: "rv", ty: Type::Int64, ..Field::PLAIN },
        Field { json: "start", ty: Type::String, ..Field::PLAIN },
    ],
);

/// The JSON of a `continue` token, as upstream writes it.
#[derive(Serialize)]
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
        // As Go, which passes over line breaks.
        let text = text.replace(['\n', '\r'], "");
        let bytes = BASE64.decode(&text).map_err(|error| match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => {
                refuse(&format!("illegal base64 data at input byte {at}"))
            }
            _ => refuse(&format!("illegal base64 data at input byte {}", text.len() / 4 * 4)),
        })?;
        let token = Token::parse(&bytes).map_err(|problem| refuse(&problem))?;
        if token.v != VERSION {
            return Err(refuse(&format!("server does not recognize this encoded version {}", token.v)));
        }
        if token.rv == 0 {
            return Err(refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
        }
        if token.start.is_empty() {
            return Err(refuse("encoded start key empty (version meta.k8s.io/v1)"));
        }
        // A token must not lead out of the namespace.
        if token.relative().split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(refuse(&token.start));
        }
        Ok(token)
    }

    fn parse(text: &[u8]) -> std::result::Result<Token, String> {
        let Parsed { value, numbers, .. } = values::parse(text)?;
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            other => {
                let what = json_type(&other);
                return Err(format!(
                    "json: cannot unmarshal {what} into Go value of type storage.continueToken"
                ));
            }
        };
        let fields =
            values::decode_with_numbers(fields, &SCHEMA, &numbers).map_err(|mismatch| mismatch.of_json)?;
        let text = |name| text_at(&fields.object, &[name]).to_owned();
        let rv = values::at(&fields.object, &["rv"]).and_then(Value::as_i64).unwrap_or_default();
        Ok(Token { v: text("v"), rv, start: text("start") })
    }

    /// The key at which the list continues.
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
