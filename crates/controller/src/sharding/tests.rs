//! Tests of the rules of sharding.

mod group;
mod hashing;
mod rules;
mod simulation;
