#![allow(clippy::print_stderr, reason = "a program for people at a terminal")]
//! Tasks of the workspace: `cargo xtask codegen [--check]`, `cargo xtask facts DIR`, `cargo xtask tidy`.

use std::process::ExitCode;

mod codegen;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["facts", directory] => codegen::import(directory),
        _ => Err("usage: cargo xtask codegen [--check] | facts DIR".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
