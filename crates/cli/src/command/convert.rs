//! `klient convert`.

mod object;

use std::io::Write;

use clap::{Args, ValueEnum};
use klient_apimachinery::codec::protobuf::MAGIC;
use klient_apimachinery::yaml;
use serde_json::Value;

use crate::failure::Failure;
use crate::manifest::source::{self, Source};
use crate::manifest::{FileArgs, unreadable};
use crate::print;
use crate::session::Session;

use object::BuiltIn;

/// What to convert, and into what.
#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    files: FileArgs,
    /// The encoding to write
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Encoding {
    Json,
    Yaml,
    Protobuf,
}

/// Converts files without a server.
pub(crate) async fn run(args: ConvertArgs, session: &mut Session) -> Result<(), Failure> {
    if args.files.is_empty() {
        return Err(Failure::message("must specify -f with the files to convert, or - for stdin"));
    }
    let mut objects = Vec::new();
    for source in source::expand(&args.files.filename, args.files.recursive)? {
        objects.extend(read(&source).await?);
    }
    if args.output == Encoding::Protobuf {
        let [object] = &objects[..] else {
            return Err(Failure::Message(format!(
                "protobuf holds one object or list, and here are {}: convert them one by one",
                objects.len()
            )));
        };
        let mut bytes = Vec::new();
        object.write_protobuf(&mut bytes);
        return std::io::stdout().write_all(&bytes).map_err(Failure::output);
    }
    for (index, object) in objects.iter().enumerate() {
        let value = object.to_value();
        if args.output == Encoding::Json {
            session.console.write(&(print::pretty(&value) + "\n"))?;
            continue;
        }
        if index > 0 {
            session.console.write("---\n")?;
        }
        session.console.write(&yaml::to_string(&value))?;
    }
    Ok(())
}

/// The objects of a `List`, which are of any kinds; any other object as it is.
fn apart(mut value: Value) -> Vec<Value> {
    if value["kind"] != "List" || value["apiVersion"] != "v1" {
        return vec![value];
    }
    match value["items"].take() {
        Value::Array(items) => items.into_iter().flat_map(apart).collect(),
        _ => Vec::new(),
    }
}

async fn read(source: &Source) -> Result<Vec<BuiltIn>, Failure> {
    let name = source.name();
    let bytes = source.bytes().await?;
    let within = |problem: String| Failure::Message(format!("cannot convert {name}: {problem}"));
    if bytes.starts_with(&MAGIC) {
        return Ok(vec![BuiltIn::from_protobuf(&bytes).map_err(within)?]);
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        within("it is neither text nor an object in protobuf, which begins with `k8s\\0`".to_owned())
    })?;
    let mut objects = Vec::new();
    for document in yaml::documents(&text) {
        let value = document.map_err(|error| unreadable(&error, name))?;
        for value in apart(value) {
            objects.push(BuiltIn::from_value(value).map_err(within)?);
        }
    }
    if objects.is_empty() {
        return Err(within("there is no object in it".to_owned()));
    }
    Ok(objects)
}
