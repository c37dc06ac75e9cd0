//! [`Query`], the parameters of a request.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::failure::{Code, Failure};

/// The parameters of a request, decoded, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of a URL behind the question mark. Bytes that are no UTF-8 are replaced.
    pub(crate) fn parse(query: Option<&str>) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let parameters = query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
        Query(
            parameters
                .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
                .map(|(key, value)| (decode(key), decode(value)))
                .collect(),
        )
    }

    /// The first value of a parameter that is not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(name, value)| name == key && !value.is_empty());
        values.next().map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter, which may be empty.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn without(&self, key: &str) -> Self {
        Query(self.0.iter().filter(|(name, _)| name != key).cloned().collect())
    }

    /// A parameter that says yes or no.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Failure> {
        match self.get(key) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Failure::new(Code::BadRequest, format!("{key} must be true or false"))),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<usize>, Failure> {
        let parsed = self.get(key).map(str::parse).transpose();
        parsed.map_err(|_| {
            Failure::new(Code::BadRequest, format!("{key} must be a number that is not negative"))
        })
    }

    /// # Errors
    ///
    /// If there is a parameter that the route does not have: a misspelt one would select too much.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), Failure> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let name = klient_apimachinery::go::quoted(name.chars().take(100).collect::<String>());
                let problem = format!("there is no parameter {name} here: it has {}", known.join(", "));
                Err(Failure::new(Code::BadRequest, problem))
            }
        }
    }
}

/// Encodes the parameters.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            let [key, value] = [key, value].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
            write!(f, "{}{key}={value}", if index == 0 { "" } else { "&" })?;
        }
        Ok(())
    }
}
