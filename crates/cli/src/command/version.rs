//! `klient version`.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::print;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Print both versions
  klient version

  # Print the version of the client alone, as JSON
  klient version --client -o json";

/// Arguments of `version`.
#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    /// Print only the client version; no request is sent
    #[arg(long)]
    client: bool,
    /// Output format: json or yaml
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

pub(crate) async fn run(args: VersionArgs, session: &mut Session) -> Result<(), CliError> {
    let own = format!("v{}", env!("CARGO_PKG_VERSION"));
    let response = if args.client { None } else { Some(server_version(session).await) };
    let (server, failure) = match response {
        None => (None, None),
        Some(Ok(version)) => (Some(version), None),
        Some(Err(failure)) => (None, Some(failure)),
    };
    match args.output {
        None => {
            session.console.println(format_args!("Client Version: {own}"))?;
            if let Some(version) = &server {
                session.console.println(format_args!("Server Version: {}", version.git_version))?;
            }
        }
        Some(format) => {
            let mut versions = json!({"clientVersion": {"gitVersion": own}});
            if let Some(version) = server {
                versions["serverVersion"] = json!({
                    "major": version.major,
                    "minor": version.minor,
                    "gitVersion": version.git_version,
                    "gitCommit": version.git_commit,
                    "buildDate": version.build_date,
                    "platform": version.platform,
                });
            }
            session.console.print(&text(format, &versions))?;
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn server_version(session: &Session) -> Result<klient_client::Version, CliError> {
    Ok(session.discovery_cluster()?.client().discovery().version().await?)
}

fn text(format: Format, versions: &Value) -> String {
    match format {
        Format::Json => print::pretty(versions) + "\n",
        Format::Yaml => klient_apimachinery::yaml::to_string(versions),
    }
}
