//! `cargo xtask public-types`: types and traits of other crates in public items. A crate below 1.0 there would make
//! each of its releases a breaking one of klient's.
//!
//! It reads the JSON of rustdoc, which stable rustdoc writes when it is told that it is nightly: `xtask/rustdoc-json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::root;

/// The crates that programs use. The rest is generated, or used by these only.
const CRATES: [&str; 17] = [
    "klient",
    "klient-apimachinery",
    "klient-apiserver",
    "klient-applyconfigurations",
    "klient-cache",
    "klient-certificate",
    "klient-client",
    "klient-clientset",
    "klient-config-flags",
    "klient-controller",
    "klient-definitions",
    "klient-gateway",
    "klient-klog",
    "klient-structured-merge",
    "klient-testing",
    "klient-webhook",
    "klient-workqueue",
];

/// Crates whose types may be in public items, and the reason of each. Those of the standard library and of klient may.
const ALLOWED: &[(&str, &str)] = &[
    ("bytes", "1.x; the buffers of HTTP bodies"),
    ("clap_builder", "4.x; groups of arguments are for its users"),
    ("futures_core", "0.3 since 2019; `Stream`, until the standard library has it"),
    ("http", "1.x; methods, headers and URLs, re-exported as `klient::http`"),
    ("http_body", "1.x; the bodies that layers see"),
    ("schemars", "1.x; the schemas of structs, which its derive macro writes"),
    ("serde", "1.x; objects are read and written by it"),
    ("serde_core", "1.x; the traits of serde"),
    ("serde_json", "1.x; values of untyped objects and patches, re-exported as `klient::serde_json`"),
    ("tokio", "1.x; the streams of bytes that dialers open, and those of the embedded server"),
    ("tracing_core", "0.1 since 2019; klient-klog is a layer of its subscribers"),
    ("tracing_subscriber", "0.3 since 2021; the trait that layers implement, of which klient-klog is one"),
    ("tower_layer", "0.3 since 2019; the trait that layers implement"),
    ("tower_service", "0.3 since 2019; the trait that transports implement"),
];

/// Names the public items in which there are types of crates that are not allowed.
pub(crate) fn run() -> Result<(), String> {
    let mut wrong = Vec::new();
    for name in CRATES {
        for found in foreign(&documentation(name)?) {
            if !ALLOWED.iter().any(|(allowed, _)| *allowed == found.of) {
                wrong.push(found.to_string());
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// A type or trait of another crate in a public item.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Foreign {
    /// The file and line of the item.
    place: String,
    /// The item's name; impls have none.
    item: String,
    /// The type's path.
    path: String,
    /// The type's crate.
    of: String,
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Foreign { place, item, path, of } = self;
        write!(f, "{place}: {item}: {path} is of {of}, which is not in the list in xtask/src/public_types.rs")
    }
}

/// The JSON of a crate's documentation.
fn documentation(name: &str) -> Result<Value, String> {
    let status = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "--lib", "--package", name, "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"])
        .env("RUSTDOC", root().join("xtask/rustdoc-json"))
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo rustdoc --package {name}: {status}"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let file = target.join(format!("doc/{}.json", name.replace('-', "_")));
    let text = fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The types and traits of crates that are neither klient's nor the standard library's.
fn foreign(documentation: &Value) -> BTreeSet<Foreign> {
    let mut found = BTreeSet::new();
    for item in documentation["index"].as_object().into_iter().flat_map(|index| index.values()) {
        let about = &item["inner"]["impl"];
        // Those that the compiler adds, and those of other crates' traits for every type.
        let is_implied = about["is_synthetic"] == true || !about["blanket_impl"].is_null();
        if item["crate_id"] != 0 || is_implied {
            continue;
        }
        let mut ids = BTreeSet::new();
        collect(&item["inner"], &mut ids);
        for id in ids {
            let summary = &documentation["paths"][&id];
            let of = &documentation["external_crates"][summary["crate_id"].to_string()]["name"];
            let Some(of) = of.as_str() else { continue };
            if of.starts_with("klient") || ["std", "core", "alloc"].contains(&of) {
                continue;
            }
            let steps = summary["path"].as_array().into_iter().flatten().filter_map(Value::as_str);
            found.insert(Foreign {
                place: format!(
                    "{}:{}",
                    item["span"]["filename"].as_str().unwrap_or_default(),
                    item["span"]["begin"][0]
                ),
                item: item["name"].as_str().unwrap_or("impl").to_owned(),
                path: steps.collect::<Vec<_>>().join("::"),
                of: of.to_owned(),
            });
        }
    }
    found
}

/// The ids of all paths to types and traits, and of re-exports, in a part of an item.
fn collect(part: &Value, ids: &mut BTreeSet<String>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(fields) => {
            let is_path = fields.contains_key("path") || fields.contains_key("source");
            if let Some(id) = fields.get("id").filter(|id| is_path && !id.is_null()) {
                ids.insert(id.to_string());
            }
            fields.values().for_each(|field| collect(field, ids));
        }
        _ => {}
    }
}

#[test]
fn types_of_other_crates_are_named_with_their_place() {
    let documentation = serde_json::json!({
        "index": {
            "1": {
                "crate_id": 0,
                "name": "connect",
                "span": {"filename": "crates/client/src/client.rs", "begin": [7, 1]},
                "inner": {"function": {"sig": {"inputs": [
                    ["own", {"resolved_path": {"path": "Config", "id": 10, "args": null}}],
                    ["other", {"borrowed_ref": {"type": {"resolved_path": {"path": "Body", "id": 11}}}}],
                    ["text", {"resolved_path": {"path": "String", "id": 12, "args": null}}],
                ]}}},
            },
            "2": {
                "crate_id": 0,
                "name": null,
                "inner": {"impl": {"is_synthetic": false, "blanket_impl": {"generic": "T"},
                    "trait": {"path": "Instrument", "id": 13}}},
            },
        },
        "paths": {
            "10": {"crate_id": 0, "path": ["klient_client", "Config"]},
            "11": {"crate_id": 3, "path": ["hyper", "body", "Body"]},
            "12": {"crate_id": 2, "path": ["alloc", "string", "String"]},
            "13": {"crate_id": 4, "path": ["tracing", "Instrument"]},
        },
        "external_crates": {"2": {"name": "alloc"}, "3": {"name": "hyper"}, "4": {"name": "tracing"}},
    });
    let found: Vec<String> = foreign(&documentation).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "crates/client/src/client.rs:7: connect: hyper::body::Body is of hyper, which is not in the list in \
          xtask/src/public_types.rs"
        ]
    );
}
