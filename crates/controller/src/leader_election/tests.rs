//! Tests of the rules in virtual time.

mod rules;
mod simulation;
mod transcript;
