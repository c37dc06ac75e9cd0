//! `convert`, over what Kubernetes v1.37 wrote in three encodings.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::KLIENT;

const FIXTURES: &str = include_str!("../../../api/tests/it/fixtures.jsonl");

fn convert(file: &Path, to: &str) -> Output {
    let mut command = Command::new(KLIENT);
    // There is no server, and none is asked for.
    command.env("KUBECONFIG", "/nowhere").args(["convert", "-o", to, "-f"]).arg(file);
    command.output().unwrap()
}

#[track_caller]
fn converted(file: &Path, to: &str) -> Vec<u8> {
    let output = convert(file, to);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn each_encoding_becomes_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for line in FIXTURES.lines() {
        let fixture: Value = serde_json::from_str(line).unwrap();
        let bytes = STANDARD.decode(fixture["protobuf"].as_str().unwrap()).unwrap();
        let yaml = fixture["yaml"].as_str().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("json"), fixture["json"].to_string()).unwrap();
        fs::write(path("yaml"), yaml).unwrap();
        fs::write(path("protobuf"), &bytes).unwrap();
        for from in ["json", "yaml", "protobuf"] {
            let kind = &fixture["kind"];
            assert!(converted(&path(from), "protobuf") == bytes, "{kind} from {from}");
            assert_eq!(
                String::from_utf8(converted(&path(from), "yaml")).unwrap(),
                yaml,
                "{kind} from {from}"
            );
            let json: Value = serde_json::from_slice(&converted(&path(from), "json")).unwrap();
            assert_eq!(json, fixture["json"], "{kind} from {from}");
        }
    }
}

#[test]
fn lists_are_converted() {
    let folder = tempfile::tempdir().unwrap();
    let (yaml, protobuf) = (folder.path().join("yaml"), folder.path().join("protobuf"));
    let list = "apiVersion: v1\nitems:\n- data:\n    a: b\n  metadata:\n    name: one\n- metadata:\n    name: two\n\
                kind: ConfigMapList\nmetadata:\n  resourceVersion: \"7\"\n";
    fs::write(&yaml, list).unwrap();
    fs::write(&protobuf, converted(&yaml, "protobuf")).unwrap();
    assert_eq!(String::from_utf8(converted(&protobuf, "yaml")).unwrap(), list);
}

#[test]
fn what_cannot_be_converted_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let shown = file.display();
    for (bytes, to, problem) in [
        (
            &b"apiVersion: shop.example/v1\nkind: Coupon\n"[..],
            "json",
            "shop.example/v1 Coupon is no built-in kind",
        ),
        (b"a: 1\n", "json", "its apiVersion or kind is missing"),
        (b"\xff\xfe", "json", "it is not YAML or JSON in UTF-8, and not protobuf"),
        (b"k8s\0\x0a\x02", "json", "the bytes end in the middle of a field"),
        (b"apiVersion: v1\nkind: Pod\nspec: 3\n", "json", "spec: expected an object, found a number"),
        (b"", "json", "it contains no object"),
    ] {
        fs::write(&file, bytes).unwrap();
        let output = convert(&file, to);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(complaint.starts_with(&format!("error: cannot convert {shown}: {problem}")), "{complaint}");
    }
    fs::write(&file, "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Pod\n").unwrap();
    let complaint = String::from_utf8(convert(&file, "protobuf").stderr).unwrap();
    assert_eq!(
        complaint,
        "error: a protobuf file can contain only one object or list, and the files contain 2: convert them one by one\n"
    );
}
