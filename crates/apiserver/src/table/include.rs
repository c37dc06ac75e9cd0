//! [`Include`], the part of each object included in its row of a Table.

use klient_apimachinery::validation::field::FieldError;

use crate::request::Query;
use crate::status::{Failure, Result};

/// The part of each object included in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    /// Parses `includeObject`.
    ///
    /// # Errors
    ///
    /// If the value is unknown.
    pub(crate) fn parse(query: &Query) -> Result<Self> {
        match &*query.text("includeObject") {
            "" | "Metadata" => Ok(Include::Metadata),
            "None" => Ok(Include::None),
            "Object" => Ok(Include::Object),
            other => {
                let detail = "must be 'Metadata', 'Object', 'None', or empty";
                let problem = FieldError::invalid("includeObject", other, detail);
                Err(Failure::bad_request(format!("Unable to convert to Table as requested: {problem}")))
            }
        }
    }
}
