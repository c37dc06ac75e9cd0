//! `klient generate`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_apimachinery::{ListOptions, Object as _};
use klient_generate::{Definition, Options};

use crate::error::CliError;
use crate::manifest::source::Source;
use crate::session::Session;

/// The end of the help of the command.
pub(crate) const USAGE: &str = "klient generate (-f FILE | --from-cluster) [NAME...] [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Generate a module from the definitions in a folder, with a file for each group and version
  klient generate -f config/crd -o src/crds

  # Generate one file from the definitions of a Helm chart, including those of its dependencies
  klient generate -f charts/cert-manager -o src/cert_manager.rs

  # Print the code of two definitions of the cluster
  klient generate --from-cluster certificates.cert-manager.io issuers.cert-manager.io

  # Generate all definitions of a group, with a shorter name for its module and with apply configurations
  klient generate --from-cluster --group gateway.networking.k8s.io \\
      --group-name gateway.networking.k8s.io=gateway --apply-configurations -o src/gateway

  # Fail if the files are not what would be generated
  klient generate -f config/crd -o src/crds --check

The code needs the crates klient (with its feature apply-derive for apply configurations) and serde (with its feature \
derive). A build script generates the same with the crate klient-generate.";

/// Arguments of `generate`.
#[derive(Args, Debug)]
pub(crate) struct GenerateArgs {
    /// Names of definitions, such as certificates.cert-manager.io; all if none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Files, directories, Helm charts or URLs of CustomResourceDefinitions; - for stdin. Directories are read recursively
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_delimiter = ',')]
    filename: Vec<String>,
    /// Read the CustomResourceDefinitions of the cluster
    #[arg(long)]
    from_cluster: bool,
    /// Generate only the definitions of these API groups
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    groups: Vec<String>,
    /// Directory of the module to write, or one file if it ends in .rs; the default is standard output
    #[arg(short = 'o', long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write nothing, and exit with 1 if a file differs from what would be written
    #[arg(long)]
    check: bool,
    /// Name of the module of a group, in place of the group with underscores
    #[arg(long = "group-name", value_name = "GROUP=NAME", value_delimiter = ',')]
    group_names: Vec<String>,
    /// Generate apply configurations, too
    #[arg(long)]
    apply_configurations: bool,
    /// Generate types only, no clientset and informers
    #[arg(long)]
    no_clientset: bool,
}

/// Generates Rust code from CustomResourceDefinitions.
pub(crate) async fn run(args: GenerateArgs, session: &mut Session) -> Result<(), CliError> {
    let options = args.options()?;
    let definitions = args.select(args.definitions(session).await?)?;
    let generated = klient_generate::generate(&definitions, &options).map_err(message)?;
    let Some(output) = &args.output else { return session.console.print(generated.single_file()) };
    if !args.check {
        generated.write(output).map_err(message)?;
        let count = match definitions.len() {
            1 => "1 definition".to_owned(),
            count => format!("{count} definitions"),
        };
        return session.console.println(format_args!("{} generated from {count}", output.display()));
    }
    let differences = generated.differences(output).map_err(message)?;
    if differences.is_empty() {
        return Ok(());
    }
    let command = &options.command;
    let lines = differences.iter().map(|file| format!("{} is not what {command} generates", file.display()));
    Err(CliError::Verbatim(lines.collect::<Vec<_>>().join("\n")))
}

fn message(error: klient_generate::Error) -> CliError {
    CliError::Message(error.to_string())
}

impl GenerateArgs {
    fn options(&self) -> Result<Options, CliError> {
        if self.check && self.output.is_none() {
            return Err(CliError::message("--check compares files: name them with -o"));
        }
        let pair = |pair: &String| match pair.split_once('=') {
            Some((group, name)) if !group.is_empty() && !name.is_empty() => {
                Ok((group.to_owned(), name.to_owned()))
            }
            _ => Err(CliError::Message(format!("--group-name {pair}: it is not GROUP=NAME"))),
        };
        Ok(Options {
            command: self.command(),
            group_names: self.group_names.iter().map(pair).collect::<Result<_, _>>()?,
            clientset: !self.no_clientset,
            apply_configurations: self.apply_configurations,
        })
    }

    /// The command line, without the flags that select a cluster and may be secret.
    fn command(&self) -> String {
        let mut words = vec!["klient generate".to_owned()];
        words.extend(self.names.iter().map(|name| quoted(name)));
        let mut flag = |flag: &str, values: &[String]| {
            words.extend(values.iter().map(|value| format!("{flag} {}", quoted(value))));
        };
        flag("-f", &self.filename);
        flag("--group", &self.groups);
        flag("--group-name", &self.group_names);
        let output = self.output.as_ref().map(|output| output.display().to_string());
        flag("-o", output.as_slice());
        let switches = [
            (self.from_cluster, "--from-cluster"),
            (self.apply_configurations, "--apply-configurations"),
            (self.no_clientset, "--no-clientset"),
        ];
        words.extend(switches.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned()));
        words.join(" ")
    }

    async fn definitions(&self, session: &Session) -> Result<Vec<Definition>, CliError> {
        let mut definitions = Vec::new();
        match (self.from_cluster, self.filename.is_empty()) {
            (true, false) => {
                return Err(CliError::message("-f and --from-cluster exclude each other: generate twice"));
            }
            (false, true) => {
                let text = "must specify -f with the files of definitions, or - for stdin, or --from-cluster";
                return Err(CliError::message(text));
            }
            (true, true) => {
                let cluster = session.cluster()?;
                let api = cluster.client().api::<CustomResourceDefinition>();
                for definition in api.list(&ListOptions::default()).await? {
                    // The others need not be such that code can be generated from them.
                    if !self.mentions(definition.name(), &definition.spec.group) {
                        continue;
                    }
                    let value = serde_json::to_value(&definition);
                    let value = value.map_err(|error| CliError::Message(error.to_string()))?;
                    definitions.push(Definition::from_value("cluster", &value).map_err(message)?);
                }
            }
            (false, false) => {
                for name in &self.filename {
                    let of_file = match Source::from_name(name) {
                        Source::File { path, .. } => klient_generate::read([path]),
                        source => klient_generate::parse(source.name(), &source.text().await?),
                    };
                    definitions.extend(of_file.map_err(message)?);
                }
            }
        }
        Ok(definitions)
    }

    /// Returns true if a definition is selected by its name or group, or all are.
    fn mentions(&self, name: &str, group: &str) -> bool {
        let is_among = |values: &[String], value: &str| values.iter().any(|other| other == value);
        self.names.is_empty() && self.groups.is_empty()
            || is_among(&self.names, name)
            || is_among(&self.groups, group)
    }

    /// The definitions with the given names and groups.
    fn select(&self, mut definitions: Vec<Definition>) -> Result<Vec<Definition>, CliError> {
        let names: BTreeSet<&str> = definitions.iter().map(Definition::name).collect();
        let groups: BTreeSet<&str> = definitions.iter().map(Definition::group).collect();
        let unknown =
            self.names.iter().filter(|name| !names.contains(name.as_str())).map(|name| ("definition", name));
        let unknown = unknown.chain(
            self.groups.iter().filter(|group| !groups.contains(group.as_str())).map(|group| ("group", group)),
        );
        let renamed = self.group_names.iter().filter_map(|pair| pair.split_once('='));
        let renamed = renamed.filter(|(group, _)| !groups.contains(group)).map(|(group, _)| ("group", group));
        let unknown = unknown.map(|(what, name)| (what, name.as_str())).chain(renamed);
        let place = if self.from_cluster { "the cluster has" } else { "the files have" };
        let missing = unknown.map(|(what, name)| CliError::Message(format!("{place} no {what} {name}")));
        CliError::aggregate(missing.collect())?;
        definitions.retain(|definition| {
            let is_named = self.names.is_empty() || self.names.iter().any(|name| name == definition.name());
            is_named
                && (self.groups.is_empty() || self.groups.iter().any(|group| group == definition.group()))
        });
        if definitions.is_empty() {
            return Err(CliError::Message(format!("{place} no CustomResourceDefinition that is selected")));
        }
        Ok(definitions)
    }
}

/// A word of a command line, as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    // A comment has one line.
    let word: String = word.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    match word.is_empty() || !word.chars().all(is_plain) {
        true => format!("'{}'", word.replace('\'', r"'\''")),
        false => word,
    }
}
