//! Asks klient and a program of Kubernetes' own packages the same of random values, and tells what they differ in.
//!
//! `cargo xtask e2e values` builds that program, and runs this. What the program answered to the values that stand in
//! the tables here is kept under `answers/`, so that tests hold klient to it without Go.

mod bytes;
mod input;
mod judge;
mod numbers;
mod quantity;
mod question;
mod recorded;
mod selectors;
mod shrink;
mod time;
mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::judge::Judge;
use crate::question::Question;

/// Asks klient and Kubernetes' own packages the same of random values.
#[derive(Parser)]
struct Args {
    /// The program that answers as Kubernetes does
    #[arg(long, value_name = "FILE")]
    judge: PathBuf,
    /// The seed of the random values
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The number of values for each question
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    inputs: usize,
    /// Asks these alone
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Writes what is answered to the values in the tables into `answers/`
    #[arg(long)]
    record: bool,
}

/// All that is asked.
fn questions() -> impl Iterator<Item = &'static Question> {
    [
        time::QUESTIONS,
        quantity::QUESTIONS,
        selectors::QUESTIONS,
        bytes::QUESTIONS,
        yaml::QUESTIONS,
        numbers::QUESTIONS,
    ]
    .into_iter()
    .flatten()
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            say(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}

/// Asks everything, and returns how many values are answered differently.
fn run(args: &Args) -> Result<usize, String> {
    let mut judge = Judge::start(&args.judge)?;
    let mut wrong = 0;
    for question in questions() {
        if !args.only.is_empty() && !args.only.iter().any(|name| name == question.name) {
            continue;
        }
        if args.record {
            recorded::write(question, &mut judge)?;
        } else {
            wrong += ask(question, &mut judge, args.seed, args.inputs)?;
        }
    }
    Ok(wrong)
}

/// Asks one question with the values of its table and with random ones, and returns how many are answered differently.
fn ask(question: &Question, judge: &mut Judge, seed: u64, count: usize) -> Result<usize, String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut kept: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let (mut asked, mut understood, mut wrong) = (0, 0, 0);
    while asked < count {
        let mut inputs = input::batch(question, &mut rng, count - asked);
        if asked == 0 {
            inputs.extend(question.table.iter().map(|&text| text.to_owned()));
        }
        let answers = judge.ask(question.name, &inputs)?;
        asked += inputs.len();
        for (input, theirs) in inputs.into_iter().zip(answers) {
            understood += usize::from(theirs.is_ok());
            let ours = (question.ours)(&input);
            if question.agree(&ours, &theirs) {
                continue;
            }
            if let Some(reason) = question.kept(&input, &ours, &theirs) {
                let (times, _) = kept.entry(reason).or_insert((0, input));
                *times += 1;
                continue;
            }
            wrong += 1;
            // Enough of them are shown for their kinds to be seen.
            if found.len() < MOST_SHOWN {
                let shortest = shrink::shortest(question, judge, &input)?;
                *found.entry(shortest).or_default() += 1;
            }
        }
    }
    for input in found.keys() {
        let theirs = judge.ask(question.name, std::slice::from_ref(input))?.remove(0);
        let ours = (question.ours)(input);
        say(&format!("{}: {input:?}\n  klient:     {ours:?}\n  Kubernetes: {theirs:?}", question.name));
    }
    say(&format!("{}: {asked} values (seed {seed}), {understood} understood, {wrong} differ", question.name));
    for (reason, (times, input)) in kept {
        say(&format!("  kept: {times} times, such as {input:?}: {reason}"));
    }
    Ok(wrong)
}

const MOST_SHOWN: usize = 20;

#[allow(clippy::print_stdout, reason = "a program for people at a terminal")]
fn say(text: &str) {
    println!("{text}");
}

/// A refusal, as it is compared and shown.
fn words(problem: impl ToString) -> String {
    problem.to_string()
}
