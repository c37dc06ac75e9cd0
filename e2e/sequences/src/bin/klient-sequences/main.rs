//! Plays random sequences of writes on one API server, or on two beside each other, and tells what is wrong.
//!
//! `cargo xtask e2e` starts a real kube-apiserver and the embedded server, and runs this.

mod found;
mod servers;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use klient_client::{Client, Config};
use klient_sequences::{Sequence, Webhooks};

use crate::servers::Servers;

/// Plays random sequences of writes on one API server, or on two beside each other.
#[derive(Parser)]
struct Args {
    /// The kubeconfig of a server, which may be the only one
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// The kubeconfig of the server whose answers are right
    #[arg(long, value_name = "FILE")]
    upstream: Option<PathBuf>,
    /// The seed of the first sequence; the others follow
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many sequences to play
    #[arg(long, value_name = "N", default_value_t = 100)]
    sequences: u64,
    /// How many writes a sequence has
    #[arg(long, value_name = "N", default_value_t = 15)]
    steps: usize,
    /// Play sequences in which webhooks take part
    #[arg(long)]
    webhooks: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            say(&format!("error: {text}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays all sequences, and returns how many went wrong.
async fn run(args: Args) -> Result<usize, Box<dyn Error>> {
    let (one, upstream) = (connect(args.server)?, args.upstream.map(connect).transpose()?);
    let mut servers = Servers::new(one, upstream).await?;
    let webhooks = if args.webhooks { Some(Webhooks::start().await?) } else { None };
    if let Some(webhooks) = &webhooks {
        servers.call(webhooks).await?;
    }
    let mut causes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut writes = 0;
    for seed in (0..args.sequences).map(|count| args.seed.wrapping_add(count)) {
        let sequence = match webhooks {
            Some(_) => Sequence::with_webhooks(seed, args.steps),
            None => Sequence::new(seed, args.steps),
        };
        let found = servers.play(&sequence).await?;
        writes += found.last().map_or(sequence.len(), |found| found.requests.len());
        for found in found {
            let sequence = sequence.first(found.requests.len());
            // What comes of where a second ends does not come again.
            let Some(found) = servers.again(&sequence, &found.cause()).await? else { continue };
            let seeds = causes.entry(found.cause()).or_default();
            seeds.push(seed);
            if seeds.len() == 1 {
                let (sequence, found) = servers.shrink(sequence, found).await?;
                say(&format!("{}\n{}", title(&sequence), found.text()));
            }
        }
    }
    let wrong = causes.values().map(Vec::len).sum();
    for (cause, seeds) in &causes {
        say(&format!("{:5} × {cause} (seed {})", seeds.len(), seeds[0]));
    }
    say(&format!("{writes} writes in {} sequences, {wrong} of which went wrong", args.sequences));
    Ok(wrong)
}

fn title(sequence: &Sequence) -> String {
    format!("--- seed {}, {}, {} steps", sequence.seed(), sequence.kind(), sequence.len())
}

fn connect(kubeconfig: PathBuf) -> Result<Client, klient_client::Error> {
    let mut config = Config::from_kubeconfig_file(kubeconfig)?;
    config.warnings = klient_client::WarningHandler::none();
    Client::new(config)
}

#[allow(clippy::print_stdout, reason = "a program for people at a terminal")]
fn say(text: &str) {
    println!("{text}");
}
