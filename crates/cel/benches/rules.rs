//! Evaluations.
fn main() {}
