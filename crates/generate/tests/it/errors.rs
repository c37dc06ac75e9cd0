//! Definitions that cannot be read or generated: one error each, with the file, the definition and the field.

use std::fs;

use klient_generate::{Definition, Error, Options, generate, parse, read};

const BEGIN: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
";

fn error(text: &str) -> String {
    let generated = parse("a.yaml", text).and_then(|definitions| generate(&definitions, &Options::default()));
    generated.map(|_| "generated".to_owned()).unwrap_or_else(|error: Error| error.to_string())
}

/// The error of a definition with one version.
fn error_of_version(version: &str) -> String {
    error(&format!("{BEGIN}  - {{name: v1, served: true, storage: true, {version}}}\n"))
}

fn error_of_field(schema: &str) -> String {
    let spec = format!("{{type: object, properties: {{field: {schema}}}}}");
    error_of_version(&format!("schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {spec}}}}}}}"))
}

#[test]
fn what_is_no_definition_is_named() {
    for (text, expected) in [
        (
            "apiVersion: apps/v1\nkind: Deployment\n",
            "a.yaml: it has no CustomResourceDefinition, but an object of kind Deployment (apps/v1)",
        ),
        ("a: 1\n", "a.yaml: it has no CustomResourceDefinition, but a document without apiVersion and kind"),
        ("# nothing\n", "a.yaml: it has no CustomResourceDefinition, and nothing else"),
        ("a: [\n", "a.yaml: yaml: line 1: did not find expected node content"),
        (
            "{{- if .Values.crds }}\na: {{ b }}\n",
            "a.yaml: json: offset 2: invalid character '{' looking for beginning of object key string: it is a template, \
             which `helm template` renders",
        ),
        (
            "apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\nmetadata: {name: old}\n",
            "a.yaml: definition old: its version is apiextensions.k8s.io/v1beta1, which Kubernetes 1.22 has removed: \
             convert it to apiextensions.k8s.io/v1",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn a_part_that_is_missing_or_wrong_is_named() {
    let place = "a.yaml: definition things.example.com";
    for (text, expected) in [
        (BEGIN.replace("  group: example.com\n", ""), "spec.group: it is missing"),
        (BEGIN.replace("example.com\n", "'a\"b'\n"), "spec.group: a\"b is no name"),
        (BEGIN.replace("kind: Thing", "kind: 'Thing {}'"), "spec.names.kind: Thing {} is no name"),
        (BEGIN.replace("Namespaced", "Global"), "spec.scope: Global is neither Namespaced nor Cluster"),
        (BEGIN.to_owned(), "spec.versions: no version is served"),
    ] {
        assert_eq!(error(&text), format!("{place}: {expected}"));
    }
    let version = |name: &str| {
        format!(
            "  - {{name: {name}, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n"
        )
    };
    for (versions, expected) in [
        (["v1", "v2"], "spec.versions: v1 and v2 have storage: true, which one version can have"),
        (["v1", "v1"], "spec.versions: version v1 is there twice"),
    ] {
        let text = BEGIN.to_owned() + &versions.map(version).concat();
        assert_eq!(error(&text), format!("{place}: {expected}"));
    }
    assert_eq!(
        error_of_version("subresources: {}"),
        format!(
            "{place}: version v1: it has no schema, from which types could be generated: add schema.openAPIV3Schema"
        )
    );
}

#[test]
fn a_schema_without_a_type_in_rust_is_named_with_its_field() {
    for (schema, expected) in [
        (
            "{$ref: '#/definitions/Pod'}",
            ".spec.field: $ref \"#/definitions/Pod\" is not allowed in a definition: put the schema in its place",
        ),
        (
            "{type: array, items: {$ref: '#'}}",
            ".spec.field[]: $ref \"#\" is not allowed in a definition: put the schema in its place",
        ),
        ("{type: object, additionalProperties: {type: text}}", ".spec.field.*: type text is unknown"),
        (
            "{type: [string, 'null']}",
            ".spec.field: type [\"string\",\"null\"] is no string: a structural schema has one type",
        ),
        ("true", ".spec.field: true is no schema"),
    ] {
        assert_eq!(error_of_field(schema), format!("a.yaml: definition things.example.com: {expected}"));
    }
    for schema in
        ["{type: string}", "{}", "{type: object, properties: {self: {type: string}, Self: {type: string}}}"]
    {
        assert_eq!(error_of_field(schema), "generated");
    }
}

/// `JSONSchemaProps`, the type of schemas, has itself as a field, for which a definition has no words: generators of definitions
/// leave the inner ones open, or write a `$ref`.
#[test]
fn a_schema_of_schemas_is_open_or_an_error() {
    assert_eq!(
        error_of_field(
            "{type: object, properties: {items: {type: object, properties: {items: {$ref: '#/definitions/JSONSchemaProps'}}}}}"
        ),
        "a.yaml: definition things.example.com: .spec.field.items.items: $ref \"#/definitions/JSONSchemaProps\" is not \
         allowed in a definition: put the schema in its place"
    );
    let open = "{type: object, properties: {type: {type: string}, items: {x-kubernetes-preserve-unknown-fields: true}, \
                properties: {type: object, additionalProperties: {x-kubernetes-preserve-unknown-fields: true}}}}";
    assert_eq!(error_of_field(open), "generated");
}

#[test]
fn a_schema_that_is_very_deep_is_generated_or_an_error() {
    for (levels, expected) in [(40, "generated"), (20_000, "a.yaml: ")] {
        let lists = "{type: array, items: ".repeat(levels) + "{type: string}" + &"}".repeat(levels);
        let fields =
            "{type: object, properties: {a: ".repeat(levels) + "{type: string}" + &"}}".repeat(levels);
        for schema in [lists, fields] {
            let error = error_of_field(&schema);
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

fn thing(source: &str, field: &str) -> Vec<Definition> {
    let schema = format!("{{type: object, properties: {{{field}: {{type: string}}}}}}");
    parse(source, &format!("{BEGIN}  - {{name: v1, served: true, schema: {{openAPIV3Schema: {schema}}}}}\n"))
        .unwrap()
}

#[test]
fn two_definitions_of_a_kind_are_one_if_they_are_equal() {
    let same = [thing("a.yaml", "a"), thing("b.yaml", "a")].concat();
    assert!(generate(&same, &Options::default()).is_ok());
    let different = [thing("a.yaml", "a"), thing("b.yaml", "b")].concat();
    assert_eq!(
        generate(&different, &Options::default()).unwrap_err().to_string(),
        "definition things.example.com: a.yaml and b.yaml define Thing of example.com differently: generate them into \
         different modules"
    );
}

#[test]
fn a_definition_with_a_megabyte_of_schema_is_generated() {
    let mut fields = String::new();
    for number in 0..13_000_u32 {
        fields.push_str(&format!(
            "        field{number}: {{type: object, properties: {{a{number}: {{type: string, minLength: 1}}}}}}\n"
        ));
    }
    let schema = format!(
        "    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n{}",
        fields.replace("        field", "          field")
    );
    let text = format!("{BEGIN}  - name: v1\n    served: true\n{schema}");
    assert!(text.len() > 1 << 20, "{}", text.len());
    let generated = generate(&parse("big.yaml", &text).unwrap(), &Options::default()).unwrap();
    assert_eq!(generated.single_file().matches("pub struct ThingField").count(), 13_000);
}

#[test]
fn files_and_folders_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let shown = |name: &str| path(name).display().to_string();
    assert_eq!(
        read([path("none")]).unwrap_err().to_string(),
        format!("{}: it cannot be read: no such file or directory", shown("none"))
    );
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("empty").join("a.txt"), BEGIN).unwrap();
    assert_eq!(
        read([path("empty")]).unwrap_err().to_string(),
        format!(
            "{}: no file in the folder (.json, .yaml, .yml) has a CustomResourceDefinition",
            shown("empty")
        )
    );
    fs::create_dir_all(path("chart/templates")).unwrap();
    fs::write(path("chart/Chart.yaml"), "name: chart\n").unwrap();
    fs::write(path("chart/templates/crd.yaml"), "{{ template }}\n").unwrap();
    assert_eq!(
        read([path("chart")]).unwrap_err().to_string(),
        format!(
            "{chart}: the chart has no definitions in crds/; those in its templates are rendered by `helm template \
             {chart} | klient generate -f -`",
            chart = shown("chart")
        )
    );
    // A file that is a folder for the system, and nothing that can be opened.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(path("gone"), path("empty/link.yaml")).unwrap();
        let error = read([path("empty")]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{}: it cannot be read: no such file or directory", shown("empty/link.yaml"))
        );
    }
}
