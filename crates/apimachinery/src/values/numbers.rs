//! [`Numbers`], the digits of numbers as they stand in a text.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Number;

use crate::go::json_float;

/// Floating-point numbers of a JSON text that stand there in another form than Go writes them in, as `3.0` and `1e3`
/// do, by the place of each. Quantities and messages have them as they were written.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    written: HashMap<String, String>,
    /// Bytes of the places and texts in `written`.
    size: usize,
    beyond: Option<(String, String)>,
}

/// The most bytes of places and texts that are kept: a place may be long, and hold many numbers.
const MOST_BYTES: usize = 1024 * 1024;

impl Numbers {
    /// Reads a number. What no float can hold is the greatest that there is, and noted.
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

    /// A number as it was written at a place, as in `spec.ports[0].port`. One that was not read from the text is
    /// as Go writes it.
    pub fn text<'a>(&'a self, place: &str, number: &Number) -> Cow<'a, str> {
        let written = (number.is_f64() && !self.written.is_empty())
            .then(|| self.written.get(&plain(place)))
            .flatten()
            // Something else may be in that place by now.
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
    pub fn refuse_beyond(&self) -> Option<String> {
        let (_, literal) = self.beyond.as_ref()?;
        Some(format!("json: cannot unmarshal number {literal} into Go value of type float64"))
    }

    /// Tells whether a place is, or holds, that number.
    pub(super) fn is_beyond(&self, place: &str) -> bool {
        self.beyond.as_ref().is_some_and(|(beyond, _)| {
            let rest = beyond.strip_prefix(&*plain(place));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Puts what stands in the value of each operation of a JSON patch into the place that the operation names.
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

/// A place without brackets.
fn plain(place: &str) -> String {
    place.replace('[', ".").replace(']', "").trim_start_matches('.').to_owned()
}
