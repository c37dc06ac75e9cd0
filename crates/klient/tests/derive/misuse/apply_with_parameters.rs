//! A configuration is of one type.

use klient::ApplyConfiguration;
use serde::{Deserialize, Serialize};

#[derive(ApplyConfiguration, Deserialize, Serialize)]
struct Part<T> {
    value: T,
}

fn main() {}
