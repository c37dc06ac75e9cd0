//! `klient config view`.

use clap::Args;
use klient_client::LoadingRules;

use crate::configuration;
use crate::error::CliError;
use crate::flag_values::go_bool;
use crate::print::{FieldOrder, FormatSet, ObjectFormat, OutputFormat, Printer, PrinterOptions};
use crate::session::Session;

/// The order of the fields in client-go's structs.
const ORDER: FieldOrder = FieldOrder {
    fields: &[
        "kind",
        "name",
        "value",
        "command",
        "args",
        "env",
        "apiVersion",
        "installHint",
        "provideClusterInfo",
        "interactiveMode",
        "preferences",
        "colors",
        "clusters",
        "users",
        "contexts",
        "current-context",
        "cluster",
        "user",
        "context",
        "namespace",
        "server",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "certificate-authority",
        "certificate-authority-data",
        "proxy-url",
        "disable-compression",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "token",
        "tokenFile",
        "as",
        "as-uid",
        "as-groups",
        "as-user-extra",
        "username",
        "password",
        "auth-provider",
        "config",
        "exec",
        "extensions",
        "extension",
    ],
    maps: &["as-user-extra", "config", "extension"],
};

/// Arguments of `config view`.
#[derive(Args, Debug)]
pub(super) struct ViewArgs {
    /// Remove all entries that the current context does not use
    #[arg(long)]
    minify: bool,
    /// Replace the paths of certificates and keys by the contents of the files; secrets are printed
    #[arg(long)]
    flatten: bool,
    /// Print secrets and certificates
    #[arg(long)]
    raw: bool,
    /// Merge the files of the kubeconfig
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    merge: Option<bool>,
    /// Output format: json, yaml, kyaml, name or jsonpath=…
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
    /// Template of the output format
    #[arg(long, default_value = "", hide_default_value = true)]
    template: String,
    #[arg(hide = true)]
    unexpected: Vec<String>,
}

pub(super) fn view(args: &ViewArgs, rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    if !args.unexpected.is_empty() {
        return Err(CliError::Message(format!(
            "unexpected arguments: [{}]\nSee '{} config view -h' for help and examples",
            args.unexpected.join(" "),
            session.program
        )));
    }
    let format = OutputFormat::parse(&args.output, &args.template, FormatSet::Objects);
    let format = match format.map_err(|error| CliError::Message(error.to_string()))? {
        OutputFormat::Objects(format) => format,
        OutputFormat::Human | OutputFormat::Wide => ObjectFormat::Yaml,
    };
    if args.merge == Some(false) && rules.explicit_path.is_none() {
        return Err(CliError::message("if merge==false a precise file must be specified"));
    }
    let mut kubeconfig = configuration::load(rules)?;
    if args.minify {
        if let Some(context) = session.connection.context.as_ref().filter(|context| !context.is_empty()) {
            kubeconfig.current_context = context.clone();
        }
        kubeconfig.minify().map_err(configuration::unusable)?;
    }
    if args.flatten {
        kubeconfig.flatten().map_err(configuration::unusable)?;
    } else if !args.raw {
        kubeconfig.redact();
    }
    let mut out = Vec::new();
    let mut printer = Printer::new(format, PrinterOptions::default()).with_order(ORDER);
    printer.print(&kubeconfig.to_value(), &mut out).map_err(|error| error.into_failure())?;
    session.console.print(&String::from_utf8_lossy(&out))
}
