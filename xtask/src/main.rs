#![allow(clippy::print_stderr, reason = "a program for people at a terminal")]
//! Tasks of the workspace: `cargo xtask codegen [--check]`, `cargo xtask facts DIR`,
//! `cargo xtask openapi V3-DIR V2-FILE`, `cargo xtask tidy`,
//! `cargo xtask page [--check]`, `cargo xtask public-types`,
//! `cargo xtask generate-check [--apply-configurations] DIR [PROJECT...]`,
//! `cargo xtask bench wire|informers|queue|apply|client|controller|server|cel|gateway|klog|streams`, `cargo xtask soak --minutes N`,
//! `cargo xtask e2e [--seed N] [--sequences N] [--steps N]`,
//! `cargo xtask e2e programs [kube|helm|webhooks|lamps]`,
//! `cargo xtask e2e leaderelection`, `cargo xtask e2e streams`,
//! `cargo xtask e2e values [--seed N] [--inputs N] [--only NAME] [--record]`,
//! `cargo xtask e2e cel`, `cargo xtask e2e klog [--record]`.

mod bench;
mod cel;
mod codegen;
mod e2e;
mod generate_check;
mod go;
mod klog;
mod leaderelection;
mod page;
mod public_types;
mod servers;
mod soak;
mod streams;
mod tidy;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask codegen [--check] | facts DIR | openapi V3-DIR V2-FILE | page [--check] | tidy \
    | public-types \
    | generate-check [--apply-configurations] DIR [PROJECT...] \
    | bench wire|informers|queue|apply|client|controller|server|cel|gateway|klog|streams \
    | soak --minutes N | e2e [--seed N] [--sequences N] [--steps N] | e2e programs [kube|helm|webhooks|lamps] \
    | e2e leaderelection | e2e streams | e2e values [--seed N] [--inputs N] [--only NAME] [--record] | e2e cel \
    | e2e klog [--record]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["facts", directory] => codegen::import(directory),
        ["openapi", v3, v2] => codegen::openapi(v3, v2),
        ["page"] => page::write(),
        ["page", "--check"] => page::check(),
        ["tidy"] => tidy::run(),
        ["public-types"] => public_types::run(),
        ["generate-check", ref arguments @ ..] => generate_check::run(arguments),
        ["bench", "wire"] => bench::wire(),
        ["bench", "informers"] => bench::informers(),
        ["bench", "queue"] => bench::queue(),
        ["bench", "apply"] => bench::apply(),
        ["bench", "client"] => bench::client(),
        ["bench", "controller"] => bench::controller(),
        ["bench", "server"] => bench::server(),
        ["bench", "cel"] => bench::cel(),
        ["bench", "gateway"] => bench::gateway(),
        ["bench", "klog"] => bench::klog(),
        ["bench", "streams"] => bench::streams(),
        ["e2e", "values", ref arguments @ ..] => values::run(arguments),
        ["e2e", "cel"] => cel::run(),
        ["e2e", "klog", ref arguments @ ..] => klog::run(arguments),
        ["e2e", "leaderelection"] => leaderelection::run(),
        ["e2e", "streams"] => streams::run(),
        ["e2e", "programs", ref names @ ..] => e2e::programs(names),
        ["e2e", ref arguments @ ..] => e2e::run(arguments),
        ["soak", "--minutes", minutes] => soak::run(minutes),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}
