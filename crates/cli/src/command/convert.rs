//! `klient convert`.

mod object;

use std::io::Write;

use clap::{Args, ValueEnum};
use klient_apimachinery::codec::protobuf::MAGIC;
use klient_apimachinery::yaml;
use serde_json::Value;

use crate::error::CliError;
use crate::manifest::source::{self, Source};
use crate::manifest::{FilenameOptions, unreadable};
use crate::print;
use crate::session::Session;

use object::BuiltIn;

pub(crate) const USAGE: &str = "klient convert -f FILE [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Convert the objects of a manifest to JSON
  klient convert -f web.yaml -o json

  # Convert an object to protobuf
  klient convert -f web.yaml -o protobuf > web.bin";

/// Arguments of `convert`.
#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    files: FilenameOptions,
    /// Output encoding
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Encoding {
    Json,
    Yaml,
    Protobuf,
}

/// Converts the objects of files, without a server.
pub(crate) async fn run(args: ConvertArgs, session: &mut Session) -> Result<(), CliError> {
    if args.files.is_empty() {
        return Err(CliError::message("must specify -f with the files to convert, or - for stdin"));
    }
    let mut objects = Vec::new();
    for source in source::expand(&args.files.filename, args.files.recursive)? {
        objects.extend(read(&source).await?);
    }
    if args.output == Encoding::Protobuf {
        let [object] = &objects[..] else {
            return Err(CliError::Message(format!(
                "a protobuf file can contain only one object or list, and the files contain {}: convert them one by one",
                objects.len()
            )));
        };
        let mut bytes = Vec::new();
        object.write_protobuf(&mut bytes);
        return std::io::stdout().write_all(&bytes).map_err(CliError::from_output);
    }
    for (index, object) in objects.iter().enumerate() {
        let value = object.to_value();
        if args.output == Encoding::Json {
            session.console.print(&(print::pretty(&value) + "\n"))?;
            continue;
        }
        if index > 0 {
            session.console.print("---\n")?;
        }
        session.console.print(&yaml::to_string(&value))?;
    }
    Ok(())
}

/// Returns the items of a `v1` `List`, recursively, or the object itself.
fn flatten_list(mut value: Value) -> Vec<Value> {
    if value["kind"] != "List" || value["apiVersion"] != "v1" {
        return vec![value];
    }
    match value["items"].take() {
        Value::Array(items) => items.into_iter().flat_map(flatten_list).collect(),
        _ => Vec::new(),
    }
}

async fn read(source: &Source) -> Result<Vec<BuiltIn>, CliError> {
    let name = source.name();
    let bytes = source.bytes().await?;
    let within = |problem: String| CliError::Message(format!("cannot convert {name}: {problem}"));
    if bytes.starts_with(&MAGIC) {
        return Ok(vec![BuiltIn::from_protobuf(&bytes).map_err(within)?]);
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        within("it is not YAML or JSON in UTF-8, and not protobuf, which begins with `k8s\\0`".to_owned())
    })?;
    let mut objects = Vec::new();
    for document in yaml::documents(&text) {
        let value = document.map_err(|error| unreadable(&error, name))?;
        for value in flatten_list(value) {
            objects.push(BuiltIn::from_value(value).map_err(within)?);
        }
    }
    if objects.is_empty() {
        return Err(within("it contains no object".to_owned()));
    }
    Ok(objects)
}
