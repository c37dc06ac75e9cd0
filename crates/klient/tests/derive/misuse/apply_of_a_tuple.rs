//! Items of a tuple have no names.

use klient::ApplyConfiguration;
use serde::{Deserialize, Serialize};

#[derive(ApplyConfiguration, Deserialize, Serialize)]
struct Size(u32, u32);

fn main() {}
