//! Files of manifests: their encodings, documents and numbers.

use std::collections::BTreeMap;

use crate::playground::{Playground, Program};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n";

fn map(name: &str) -> String {
    MAP.replace("NAME", name)
}

async fn with_files(files: &[(&str, String)]) -> Playground {
    let playground = Playground::new().await;
    playground.klient(&["create", "namespace", "shop"], None).await;
    let files: BTreeMap<String, String> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    playground.write(&files);
    playground
}

#[tokio::test]
async fn a_separator_with_words_behind_it_is_refused_and_nothing_is_created() {
    let words = format!("{}--- junk\n{}", map("a"), map("b"));
    let flow = "apiVersion: v1\n--- {kind: ConfigMap}\n".to_owned();
    let comment = format!("{}--- # comment\n{}", map("a"), map("b"));
    let playground =
        with_files(&[("words.yaml", words), ("flow.yaml", flow), ("comment.yaml", comment)]).await;
    for (file, behind) in [("words.yaml", "junk"), ("flow.yaml", "{kind: ConfigMap}")] {
        let args = ["create", "-f", file].map(str::to_owned);
        let done = playground.run(&Program::klient(), "admin", &args, None).await;
        assert_eq!(
            (done.exit, done.stdout.as_str(), done.stderr.as_str()),
            (1, "", &*format!("error: error parsing {file}: invalid Yaml document separator: {behind}\n"))
        );
    }
    let created = playground.klient(&["create", "-f", "comment.yaml"], None).await;
    assert_eq!(created, "configmap/a created\nconfigmap/b created\n");
}

#[tokio::test]
async fn a_file_in_utf_16_is_read_by_its_byte_order_mark() {
    let playground = with_files(&[]).await;
    for (name, order) in [("little", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("big", u16::to_be_bytes)] {
        let text = map(name).replace('\n', "\r\n");
        let units = std::iter::once(0xfeff).chain(text.encode_utf16().collect::<Vec<_>>());
        let file =
            playground.write_bytes(&format!("{name}.yaml"), &units.flat_map(order).collect::<Vec<u8>>());
        let created = playground.klient(&["create", "-f", &file], None).await;
        assert_eq!(created, format!("configmap/{name} created\n"));
    }
}

#[tokio::test]
async fn whole_numbers_written_as_floats_are_created_and_applied() {
    let deployment = |replicas: &str| {
        let template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}";
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  replicas: {replicas}\n  \
             selector: {{matchLabels: {{a: b}}}}\n  {template}\n"
        )
    };
    let json = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"j"},"spec":{"replicas":2.0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#;
    let playground = with_files(&[
        ("created.yaml", deployment("3.0")),
        ("applied.yaml", deployment("0008")),
        ("again.yaml", deployment("4e0")),
        ("d.json", json.to_owned()),
    ])
    .await;
    let replicas = ["get", "deployment", "d", "-o", "jsonpath={.spec.replicas}"];
    for (args, count) in [
        (&["create", "-f", "created.yaml"][..], "3"),
        (&["apply", "--server-side", "--force-conflicts", "-f", "applied.yaml"], "8"),
        (&["apply", "--server-side", "--force-conflicts", "-f", "again.yaml"], "4"),
    ] {
        playground.klient(args, None).await;
        assert_eq!(playground.klient(&replicas, None).await, count, "{args:?}");
    }
    playground.klient(&["create", "-f", "d.json"], None).await;
    let dry_run = ["create", "-f", "created.yaml", "--dry-run=client", "-o", "yaml"];
    assert!(playground.klient(&dry_run, None).await.contains("  replicas: 3\n"));
}

#[tokio::test]
async fn yaml_is_printed_in_kubectls_layout() {
    let long = format!("{} end", "word ".repeat(20).trim_end());
    let data = format!("data:\n  long: {long}\n  emoji: 😀 x\n  zz: \"a\\n\\n\"\n");
    let playground = with_files(&[("a.yaml", format!("{}{data}", map("a")))]).await;
    let printed =
        playground.klient(&["create", "-f", "a.yaml", "--dry-run=client", "-o", "yaml"], None).await;
    let expected = "data:\n  emoji: \"\\U0001F600 x\"\n  long: word word word word word word word word word word word \
                    word word word word\n    word word word word word end\n  zz: |+\n    a\n\nkind: ConfigMap\n";
    assert!(printed.contains(expected), "{printed}");
}

#[tokio::test]
async fn json_is_read_as_gos_decoder_reads_it() {
    let json = |name: &str, data: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{data}}}"#)
    };
    let playground = with_files(&[
        ("a.json", format!("{}\n{}", json("a", r#"{"k":"\ud800A\udc00"}"#), json("b", r#"{"k":-0}"#))),
        ("escape.json", json("a", r#"{"k":"\ud8"}"#)),
        ("large.json", json("a", r#"{"k":1E400}"#)),
        ("key.yaml", format!("{}data: {{~: a}}", map("a"))),
        ("number.yaml", format!("{}data: {{k: .inf}}", map("a"))),
    ])
    .await;
    let dry_run = ["create", "-f", "a.json", "--dry-run=client", "-o", "jsonpath={.data}"];
    assert_eq!(playground.klient(&dry_run, None).await, "{\"k\":\"\u{fffd}A\u{fffd}\"}{\"k\":0}");
    let overflow = "json: cannot unmarshal number 1E400 into Go value of type float64";
    let hint = "if you choose to ignore these errors, turn validation off with --validate=false";
    for (args, problem) in [
        (
            &["create", "-f", "escape.json"][..],
            "error parsing escape.json: json: offset 80: invalid character '\"' in \\u hexadecimal character escape"
                .to_owned(),
        ),
        (
            &["create", "-f", "large.json"],
            format!("error validating \"large.json\": error validating data: {overflow}; {hint}"),
        ),
        (
            &["create", "--validate=false", "-f", "large.json"],
            format!("unable to decode \"large.json\": {overflow}"),
        ),
        (
            &["create", "-f", "key.yaml"],
            "error parsing key.yaml: error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: \
             <nil>, value: \"a\""
                .to_owned(),
        ),
        (
            &["create", "-f", "number.yaml"],
            "error parsing number.yaml: error converting YAML to JSON: json: unsupported value: +Inf".to_owned(),
        ),
    ] {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let done = playground.run(&Program::klient(), "admin", &args, None).await;
        assert_eq!((done.exit, done.stderr), (1, format!("error: {problem}\n")), "{args:?}");
    }
}
