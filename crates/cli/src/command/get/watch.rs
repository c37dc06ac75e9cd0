//! `klient get --watch`.

use std::io::Write;
use std::time::Duration;

use klient_apimachinery::fields::Selector;
use klient_client::{ByteStream, ErrorKind};
use serde_json::Value;

use super::builder::{Builder, ResourceRequest, Response};
use super::{show, sort};
use crate::error::CliError;
use crate::print::table::TablePrinter;
use crate::print::{OutputFormat, PrintError, Printer, TabWriter};
use crate::session::Session;

/// The printer of a watch: rows of a table, or objects.
enum WatchPrinter {
    Table(TablePrinter),
    Objects(Printer),
}

impl WatchPrinter {
    fn print(
        &mut self,
        event: Option<&str>,
        object: &Value,
        tabs: &mut TabWriter<'_>,
    ) -> Result<(), PrintError> {
        match (self, event) {
            (WatchPrinter::Table(printer), None) => Ok(printer.print(object, tabs)?),
            (WatchPrinter::Table(printer), Some(event)) => Ok(printer.print_event(event, object, tabs)?),
            (WatchPrinter::Objects(printer), None) => printer.print_watched(object, tabs),
            (WatchPrinter::Objects(printer), Some(event)) => printer.print_event(event, object, tabs),
        }
    }
}

/// Prints the existing objects, and then each watch event.
pub(crate) async fn run(
    builder: &Builder<'_>,
    format: OutputFormat,
    session: &Session,
) -> Result<(), CliError> {
    let args = builder.args;
    let request = request(builder, session).await?;
    let object = builder.get_once(&request).await?;
    let mut version = resource_version(&object).to_owned();
    let mut responses = vec![Response { resource: request.resource.clone(), object }];
    if builder.tables && !args.sort_by.is_empty() {
        sort::tables(&mut responses, &args.sort_by)?;
    }
    let [response] = <[Response; 1]>::try_from(responses).expect("sorting keeps the one table");
    let wide = format == OutputFormat::Wide;
    let mut watch_printer = match format {
        OutputFormat::Objects(format) => WatchPrinter::Objects(Printer::new(format, args.printer_options())),
        OutputFormat::Human | OutputFormat::Wide => {
            WatchPrinter::Table(TablePrinter::new(show::options(args, wide, args.show_kind, &response)))
        }
    };
    let with_event = args.output_watch_events;
    let mut out = std::io::stdout();
    let mut tabs = TabWriter::new(&mut out);
    for object in show::items(response.object) {
        match &mut watch_printer {
            WatchPrinter::Table(printer) if args.watch_only => printer.skip(&object),
            WatchPrinter::Objects(_) if args.watch_only => {}
            watch_printer => watch_printer
                .print(with_event.then_some("ADDED"), &object, &mut tabs)
                .map_err(PrintError::into_failure)?,
        }
    }
    tabs.flush().map_err(CliError::from_output)?;
    let follow = async {
        loop {
            let started = tokio::time::Instant::now();
            let mut events = watch(builder, &request, &version).await?;
            // Servers end watches after some minutes, and connections fail: continue from the last version.
            while let Some((kind, object)) = next(&mut events).await? {
                version = resource_version(&object).to_owned();
                match kind.as_str() {
                    "BOOKMARK" => {}
                    "ERROR" => {
                        let message = object["message"].as_str().unwrap_or("the watch has failed");
                        return Err(CliError::message(message));
                    }
                    kind => {
                        watch_printer
                            .print(with_event.then_some(kind), &object, &mut tabs)
                            .map_err(PrintError::into_failure)?;
                        tabs.flush().map_err(CliError::from_output)?;
                    }
                }
            }
            tokio::time::sleep_until(started + Duration::from_secs(1)).await;
        }
    };
    // As kubectl's, whose watch ends with its request.
    match builder.cluster.client().config().timeouts.whole {
        Some(limit) => tokio::time::timeout(limit, follow).await.unwrap_or(Ok(())),
        None => follow.await,
    }
}

/// Returns the one request to watch.
async fn request(builder: &Builder<'_>, session: &Session) -> Result<ResourceRequest, CliError> {
    let request = builder.requests(session).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    let of_types = request.iter().any(|request| request.name.is_none());
    match <[ResourceRequest; 1]>::try_from(request) {
        Ok([request]) => Ok(request),
        Err(_) if of_types => Err(CliError::message("you may only specify a single resource type")),
        Err(_) => Err(CliError::message(
            "watch is only supported on individual resources and resource collections - more than 1 resource was found",
        )),
    }
}

async fn watch(
    builder: &Builder<'_>,
    request: &ResourceRequest,
    version: &str,
) -> Result<ByteStream, CliError> {
    let ResourceRequest { name, resource, namespace } = request;
    let collection = ResourceRequest { name: None, resource: resource.clone(), namespace: namespace.clone() };
    let mut request = builder.request(&collection);
    if let Some(name) = name {
        request = request.query("fieldSelector", Selector::one("metadata.name", name).to_string());
    }
    let request = request.query("watch", "true").query("allowWatchBookmarks", "true");
    Ok(request.query("resourceVersion", version).stream().await?)
}

/// Returns type and object of the next event; `None` at the end of the watch.
async fn next(events: &mut ByteStream) -> Result<Option<(String, Value)>, CliError> {
    let line = match events.line().await {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut event: Value = serde_json::from_slice(&line).map_err(|error| {
        CliError::Message(format!("unable to decode an event from the watch stream: {error}"))
    })?;
    let kind = event["type"].as_str().unwrap_or_default().to_owned();
    Ok(Some((kind, event["object"].take())))
}

/// Returns the resourceVersion of an object, list or table; of a table without one, that of its first row's object.
fn resource_version(object: &Value) -> &str {
    let own = object["metadata"]["resourceVersion"].as_str().filter(|text| !text.is_empty());
    own.or_else(|| object["rows"][0]["object"]["metadata"]["resourceVersion"].as_str()).unwrap_or_default()
}
