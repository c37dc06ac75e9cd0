//! Definitions from folders and charts, and code to files.

use std::fs;
use std::path::Path;

use klient_generate::{Options, generate, read};

/// One file of code, as a build script's.
mod included {
    include!("../../../klient/examples/generate/crds.rs");
}

fn definition(kind: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.example.com}}\n\
         spec:\n  group: example.com\n  scope: Cluster\n  names: {{kind: {kind}, plural: {plural}}}\n  versions:\n  \
         - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n"
    )
}

fn write(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn kinds(path: &Path) -> Vec<String> {
    read([path]).unwrap().iter().map(|definition| definition.kind().to_owned()).collect()
}

#[test]
fn a_folder_is_read_with_all_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let two = definition("B") + "---\napiVersion: v1\nkind: ConfigMap\n---\n" + &definition("A");
    write(
        folder.path(),
        &[
            ("z.json", klient_json(&definition("Z"))),
            ("sub/deep/two.yml", two),
            ("kustomization.yaml", "kind: Kustomization\nresources: []\n".to_owned()),
            ("notes.txt", definition("N")),
        ],
    );
    assert_eq!(kinds(folder.path()), ["B", "A", "Z"]);
    #[cfg(unix)]
    {
        // A link that leads back is not followed.
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/back")).unwrap();
        assert_eq!(kinds(folder.path()), ["B", "A", "Z"]);
    }
}

/// YAML as JSON.
fn klient_json(yaml: &str) -> String {
    klient::yaml::single_document(yaml).unwrap().to_string()
}

#[test]
fn a_chart_has_its_definitions_in_crds_and_in_its_dependencies() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("Chart.yaml", "name: shop\n".to_owned()),
            ("crds/a.yaml", definition("A")),
            ("templates/b.yaml", "{{- if .Values.b }}\n".to_owned() + &definition("B")),
            ("charts/part/Chart.yaml", "name: part\n".to_owned()),
            ("charts/part/crds/c.yaml", definition("C")),
            ("charts/part/templates/d.yaml", "{{ d }}\n".to_owned()),
        ],
    );
    assert_eq!(kinds(folder.path()), ["A", "C"]);
}

#[test]
fn code_is_the_same_for_any_order_of_definitions() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a.yaml", definition("A")), ("b.yaml", definition("B"))]);
    let of = |names: [&str; 2]| {
        let definitions = read(names.map(|name| folder.path().join(name))).unwrap();
        generate(&definitions, &Options::default()).unwrap()
    };
    assert_eq!(of(["a.yaml", "b.yaml"]).files(), of(["b.yaml", "a.yaml"]).files());
}

#[test]
fn a_check_names_files_that_are_missing_changed_or_stale() {
    let folder = tempfile::tempdir().unwrap();
    let (crds, code) = (folder.path().join("crds"), folder.path().join("src/crds"));
    write(&crds, &[("a.yaml", definition("A"))]);
    let generated = || generate(&read([&crds]).unwrap(), &Options::default()).unwrap();
    let differences = || {
        let files = generated().differences(&code).unwrap();
        let names = files.iter().map(|file| file.strip_prefix(&code).unwrap().display().to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(differences(), ["mod.rs", "clientset.rs", "example_com/v1.rs"]);
    generated().write(&code).unwrap();
    assert!(differences().is_empty());

    // A file of the program stays; one of a version that is gone does not.
    write(&code, &[("own.rs", "// mine\n".to_owned())]);
    fs::copy(code.join("example_com/v1.rs"), code.join("example_com/v0.rs")).unwrap();
    fs::create_dir(code.join("old_group")).unwrap();
    fs::copy(code.join("example_com/v1.rs"), code.join("old_group/v1.rs")).unwrap();
    let edited = fs::read_to_string(code.join("clientset.rs")).unwrap() + "// edited\n";
    fs::write(code.join("clientset.rs"), edited).unwrap();
    assert_eq!(differences(), ["clientset.rs", "example_com/v0.rs", "old_group/v1.rs"]);
    generated().write(&code).unwrap();
    assert!(differences().is_empty());
    assert!(code.join("own.rs").exists() && !code.join("old_group").exists());

    // A file that has the code already is not written again.
    let written = || fs::metadata(code.join("mod.rs")).unwrap().modified().unwrap();
    let before = written();
    generated().write(&code).unwrap();
    assert_eq!(written(), before);

    // One file.
    let single = folder.path().join("one.rs");
    assert_eq!(generated().differences(&single).unwrap(), std::slice::from_ref(&single));
    generated().write(&single).unwrap();
    assert!(generated().differences(&single).unwrap().is_empty());
    assert_eq!(fs::read_to_string(&single).unwrap(), generated().single_file());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a.yaml", definition("A")), ("file", String::new())]);
    let generated = generate(&read([folder.path()]).unwrap(), &Options::default()).unwrap();
    let below = folder.path().join("file/crds");
    let error = generated.write(&below).unwrap_err().to_string();
    assert_eq!(error, format!("{}: it cannot be written: not a directory", below.display()));
}

#[test]
fn a_file_that_was_not_generated_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (crds, code) = (folder.path().join("crds"), folder.path().join("src"));
    write(&crds, &[("a.yaml", definition("A"))]);
    write(&code, &[("example_com/v1.rs", "fn main() {}\n".to_owned())]);
    let generated = generate(&read([&crds]).unwrap(), &Options::default()).unwrap();
    let error = generated.write(&code).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{}: klient has not generated it, and does not overwrite it: name another path, or delete it",
            code.join("example_com/v1.rs").display()
        ),
    );
    assert!(!code.join("mod.rs").exists(), "nothing is written");
}

#[test]
fn a_check_does_not_depend_on_the_command_in_the_first_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a.yaml", definition("A"))]);
    let code = folder.path().join("src");
    let generated = |command: &str| {
        let options = Options { command: command.to_owned(), ..Default::default() };
        generate(&read([folder.path().join("a.yaml")]).unwrap(), &options).unwrap()
    };
    generated("klient generate -f a.yaml").write(&code).unwrap();
    assert!(generated("klient generate -f ./a.yaml").differences(&code).unwrap().is_empty());
    // Writing brings the line up to date.
    generated("klient generate -f ./a.yaml").write(&code).unwrap();
    assert!(fs::read_to_string(code.join("mod.rs")).unwrap().contains("-f ./a.yaml"));
}

#[test]
fn a_build_script_writes_one_file_that_a_module_includes() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("crds.rs");
    let command = "klient generate -f website.yaml -o crds.rs".to_owned();
    let options = Options { command, ..Default::default() };
    generate(&read(["../klient/examples/generate/website.yaml"]).unwrap(), &options)
        .unwrap()
        .write(&path)
        .unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), include_str!("../../../klient/examples/generate/crds.rs"));
    let website = included::example_com::v1::Website::default();
    assert_eq!(website.spec.host, "");
}
