//! Tests of the page in a Chromium, in front of a gateway and the embedded server. They are skipped where no Chromium is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod actions;
mod browser;
mod edit;
mod guard;
mod keyboard;
mod kinds;
mod leaving;
mod looks;
mod object;
mod objects;
mod outages;
mod overview;
mod pods;
#[path = "../it/stage.rs"]
#[expect(dead_code, reason = "the rest of it is for the tests over HTTP")]
mod stage;
mod tab;
mod tables;
