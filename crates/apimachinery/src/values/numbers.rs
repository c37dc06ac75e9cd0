//! [`Numbers`], the numbers of a JSON text as written.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Number;

use crate::go::json_float;

/// The floating-point numbers of a JSON text that Go would write in another form, such as `3.0` and `1e3`, by path.
/// Quantities and messages have them as written.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    written: HashMap<String, String>,
    /// The number of bytes of paths and numbers in `written`.
    size: usize,
    beyond: Option<(String, String)>,
}

/// The maximum number of bytes that are kept: a path may be long, and have many numbers.
const MOST_BYTES: usize = 1024 * 1024;

impl Numbers {
    /// Parses a number. One that overflows a float is the greatest float, and recorded.
    pub(super) fn read(&mut self, place: &str, literal: &str) -> Number {
        if let Ok(integer) = literal.parse::<i64>() {
            return integer.into();
        }
        if let Ok(integer) = literal.parse::<u64>() {
            return integer.into();
        }
        let float: f64 = literal.parse().expect("the syntax is right");
        if float.is_infinite() && self.beyond.is_none() {
            self.beyond = Some((plain(place), literal.to_owned()));
        }
        let float = float.clamp(f64::MIN, f64::MAX);
        if json_float(float) != literal {
            self.size += place.len() + literal.len();
            if self.size <= MOST_BYTES {
                self.written.insert(plain(place), literal.to_owned());
            }
        }
        Number::from_f64(float).expect("it is finite")
    }

    /// A number as written at a path such as `spec.ports[0].port`. One that is not in the text is formatted as by Go.
    pub fn text<'a>(&'a self, place: &str, number: &Number) -> Cow<'a, str> {
        let written = (number.is_f64() && !self.written.is_empty())
            .then(|| self.written.get(&plain(place)))
            .flatten()
            // Another value may be at that path by now.
            .filter(|text| {
                text.parse().ok().map(|float: f64| float.clamp(f64::MIN, f64::MAX)) == number.as_f64()
            });
        match (written, number.as_f64().filter(|_| number.is_f64())) {
            (Some(text), _) => text.into(),
            (None, Some(float)) => json_float(float).into(),
            (None, None) => number.to_string().into(),
        }
    }

    /// The error, in Go's words, of the first number that overflows a float64, if there is one.
    pub fn overflow_error(&self) -> Option<String> {
        let (_, literal) = self.beyond.as_ref()?;
        Some(format!("json: cannot unmarshal number {literal} into Go value of type float64"))
    }

    /// Returns true if the number that overflows is at or below a path.
    pub(super) fn is_beyond(&self, place: &str) -> bool {
        self.beyond.as_ref().is_some_and(|(beyond, _)| {
            let rest = beyond.strip_prefix(&*plain(place));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Moves the numbers in the value of each operation of a JSON patch to the path of the operation.
    pub(crate) fn place(&mut self, operations: &[Option<Vec<String>>]) {
        let placed = |(place, text): (&String, &String)| {
            let (index, rest) = place.split_once('.')?;
            let keys = operations.get(index.parse::<usize>().ok()?)?.as_ref()?;
            let rest = rest.strip_prefix("value").filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
            Some((format!("{}{rest}", keys.join(".")), text.clone()))
        };
        self.written = self.written.iter().filter_map(placed).collect();
    }
}

/// A path without brackets.
fn plain(place: &str) -> String {
    place.replace('[', ".").replace(']', "").trim_start_matches('.').to_owned()
}
