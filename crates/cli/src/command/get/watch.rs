//! `klient get --watch`.

use std::io::Write;
use std::time::Duration;

use klient_client::{ByteStream, ErrorKind};
use serde_json::Value;

use super::fetch::{Answer, Asker, Wanted};
use super::{show, sort};
use crate::failure::Failure;
use crate::print::table::TablePrinter;
use crate::print::{OutputFormat, PrintError, Printer, TabWriter};
use crate::session::Session;

/// How objects are shown one by one.
enum Shown {
    Table(TablePrinter),
    Objects(Printer),
}

impl Shown {
    fn print(
        &mut self,
        event: Option<&str>,
        object: &Value,
        tabs: &mut TabWriter<'_>,
    ) -> Result<(), PrintError> {
        match (self, event) {
            (Shown::Table(printer), None) => Ok(printer.print(object, tabs)?),
            (Shown::Table(printer), Some(event)) => Ok(printer.print_event(event, object, tabs)?),
            (Shown::Objects(printer), None) => printer.print_watched(object, tabs),
            (Shown::Objects(printer), Some(event)) => printer.print_event(event, object, tabs),
        }
    }
}

/// Shows what is there, and then every change as it is made.
pub(crate) async fn run(asker: &Asker<'_>, format: OutputFormat, session: &Session) -> Result<(), Failure> {
    let args = asker.args;
    let wanted = wanted(asker, session).await?;
    let object = asker.one(&wanted).await?;
    let mut version = version_of(&object).to_owned();
    let mut answers = vec![Answer { resource: wanted.resource.clone(), object }];
    if asker.tables && !args.sort_by.is_empty() {
        sort::tables(&mut answers, &args.sort_by)?;
    }
    let [answer] = <[Answer; 1]>::try_from(answers).expect("sorting keeps the one table");
    let wide = format == OutputFormat::Wide;
    let mut shown = match format {
        OutputFormat::Objects(format) => Shown::Objects(Printer::new(format, args.printer_options())),
        OutputFormat::Human | OutputFormat::Wide => {
            Shown::Table(TablePrinter::new(show::options(args, wide, args.show_kind, &answer)))
        }
    };
    let with_event = args.output_watch_events;
    let mut out = std::io::stdout();
    let mut tabs = TabWriter::new(&mut out);
    for object in show::items(answer.object) {
        match &mut shown {
            Shown::Table(printer) if args.watch_only => printer.skip(&object),
            Shown::Objects(_) if args.watch_only => {}
            shown => shown
                .print(with_event.then_some("ADDED"), &object, &mut tabs)
                .map_err(PrintError::into_failure)?,
        }
    }
    tabs.flush().map_err(Failure::output)?;
    loop {
        let started = tokio::time::Instant::now();
        let mut changes = changes(asker, &wanted, &version).await?;
        // A watch ends now and then, and a connection may break: then it goes on where it was.
        while let Some((kind, object)) = next(&mut changes).await? {
            version = version_of(&object).to_owned();
            match kind.as_str() {
                "BOOKMARK" => {}
                "ERROR" => {
                    let message = object["message"].as_str().unwrap_or("the watch has failed");
                    return Err(Failure::message(message));
                }
                kind => {
                    shown
                        .print(with_event.then_some(kind), &object, &mut tabs)
                        .map_err(PrintError::into_failure)?;
                    tabs.flush().map_err(Failure::output)?;
                }
            }
        }
        tokio::time::sleep_until(started + Duration::from_secs(1)).await;
    }
}

/// The one thing to watch.
async fn wanted(asker: &Asker<'_>, session: &Session) -> Result<Wanted, Failure> {
    let wanted = asker.wanted(session).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    let of_types = wanted.iter().any(|wanted| wanted.name.is_none());
    match <[Wanted; 1]>::try_from(wanted) {
        Ok([wanted]) => Ok(wanted),
        Err(_) if of_types => Err(Failure::message("you may only specify a single resource type")),
        Err(_) => Err(Failure::message(
            "watch is only supported on individual resources and resource collections - more than 1 resource was found",
        )),
    }
}

async fn changes(asker: &Asker<'_>, wanted: &Wanted, version: &str) -> Result<ByteStream, Failure> {
    let collection =
        Wanted { name: None, resource: wanted.resource.clone(), namespace: wanted.namespace.clone() };
    let mut request = asker.request(&collection);
    if let Some(name) = &wanted.name {
        request = request.query("fieldSelector", format!("metadata.name={name}"));
    }
    let request = request.query("watch", "true").query("allowWatchBookmarks", "true");
    Ok(request.query("resourceVersion", version).stream().await?)
}

/// The next event's type and object.
async fn next(changes: &mut ByteStream) -> Result<Option<(String, Value)>, Failure> {
    let line = match changes.line().await {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut event: Value = serde_json::from_slice(&line).map_err(|error| {
        Failure::Message(format!("unable to decode an event from the watch stream: {error}"))
    })?;
    let kind = event["type"].as_str().unwrap_or_default().to_owned();
    Ok(Some((kind, event["object"].take())))
}

/// The resourceVersion of an object or list, or of the object that a table shows.
fn version_of(object: &Value) -> &str {
    let own = object["metadata"]["resourceVersion"].as_str().filter(|text| !text.is_empty());
    own.or_else(|| object["rows"][0]["object"]["metadata"]["resourceVersion"].as_str()).unwrap_or_default()
}
