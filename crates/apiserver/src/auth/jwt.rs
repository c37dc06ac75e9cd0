//! [`SigningKey`], the key of JSON Web Tokens (RFC 7519), which are signed by ES256 (RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use klient_apimachinery::values::{Map, text_at};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde_json::{Value, json};

/// The signature algorithm in headers and key sets.
pub(crate) const ALGORITHM: &str = "ES256";

/// The DER of a `SubjectPublicKeyInfo` (RFC 5480) of a P-256 key, up to its point.
const P256_KEY_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The length of a coordinate of a P-256 point, in bytes.
const COORDINATE: usize = 32;

/// The key by which a server signs and verifies tokens.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    id: String,
}

/// A failure to make or use a key.
pub(crate) type SigningKeyError = Box<dyn std::error::Error + Send + Sync>;

impl SigningKey {
    /// Generates a key.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub(crate) fn generate() -> Result<Self, SigningKeyError> {
        let random = SystemRandom::new();
        let failed = |problem: String| SigningKeyError::from(format!("the key of tokens: {problem}"));
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let document = document.map_err(|error| failed(error.to_string()))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        let pair = pair.map_err(|error| failed(error.to_string()))?;
        let info = [&P256_KEY_INFO[..], pair.public_key().as_ref()].concat();
        // As upstream, the identifier is a hash, so that nobody takes it for the key.
        let id = BASE64.encode(digest::digest(&digest::SHA256, &info));
        Ok(SigningKey { pair, random, id })
    }

    /// A token with claims.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub(crate) fn sign(&self, claims: &Map) -> Result<String, SigningKeyError> {
        let encode = |json: String| BASE64.encode(json);
        let header = json!({ "alg": ALGORITHM, "kid": self.id });
        let signed =
            format!("{}.{}", encode(header.to_string()), encode(Value::Object(claims.clone()).to_string()));
        let signature = self.pair.sign(&self.random, signed.as_bytes());
        let signature = signature.map_err(|error| SigningKeyError::from(error.to_string()))?;
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }

    /// The claims of a token; `None` if it is no token of an issuer.
    ///
    /// # Errors
    ///
    /// Upstream's message, if another key has signed it, or its signature is not valid.
    pub(crate) fn verify(&self, token: &str, issuer: &str) -> Option<Result<Map, String>> {
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { return None };
        let claims = object(claims).filter(|claims| text_at(claims, &["iss"]) == issuer)?;
        let (header, signature) = (object(header)?, BASE64.decode(signature).ok()?);
        let key = text_at(&header, &["kid"]);
        if !key.is_empty() && key != self.id {
            return Some(Err("invalid signature, no keys found".to_owned()));
        }
        let signed = &token[..token.rfind('.').unwrap_or_default()];
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key());
        let is_valid =
            text_at(&header, &["alg"]) == ALGORITHM && public.verify(signed.as_bytes(), &signature).is_ok();
        let problem = "go-jose/go-jose: error in cryptographic primitive";
        Some(if is_valid { Ok(claims) } else { Err(problem.to_owned()) })
    }

    /// The JSON Web Key Set (RFC 7517) with the public key, as upstream writes it.
    pub(crate) fn key_set(&self) -> String {
        let point = &self.pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(COORDINATE);
        format!(
            r#"{{"keys":[{{"use":"sig","kty":"EC","kid":"{}","crv":"P-256","alg":"{ALGORITHM}","x":"{}","y":"{}"}}]}}"#,
            self.id,
            BASE64.encode(x),
            BASE64.encode(y),
        )
    }
}

/// The JSON object of a part of a token.
fn object(part: &str) -> Option<Map> {
    match serde_json::from_slice(&BASE64.decode(part).ok()?) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_key_alone_are_valid() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let claims = json!({"iss": "https://a", "sub": "ann"}).as_object().unwrap().clone();
        let token = key.sign(&claims).unwrap();
        assert_eq!(key.verify(&token, "https://a"), Some(Ok(claims)));
        assert_eq!(key.verify(&token, "https://b"), None);
        assert_eq!(key.verify("no token", "https://a"), None);
        let unknown = "invalid signature, no keys found".to_owned();
        assert_eq!(other.verify(&token, "https://a"), Some(Err(unknown)));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let root = String::from_utf8(BASE64.decode(claims).unwrap()).unwrap().replace("ann", "root");
        let changed = format!("{header}.{}.{signature}", BASE64.encode(root));
        let invalid = "go-jose/go-jose: error in cryptographic primitive".to_owned();
        assert_eq!(key.verify(&changed, "https://a"), Some(Err(invalid)));
    }
}
