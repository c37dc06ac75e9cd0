//! Kubeconfigs of several files, and changes that are written back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use klient_client::{AuthInfo, Cluster, Context, Error, Kubeconfig, LoadingRules, Named};
use tempfile::TempDir;

/// Files in a folder, which are the list of `$KUBECONFIG`.
struct Files {
    folder: TempDir,
    rules: LoadingRules,
}

impl Files {
    /// Files by name; one without a text is missing.
    fn new(files: &[(&str, Option<&str>)]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, text) in files {
            if let Some(text) = text {
                fs::create_dir_all(path(name).parent().unwrap()).unwrap();
                fs::write(path(name), text).unwrap();
            }
        }
        let precedence = files.iter().map(|(name, _)| path(name)).collect();
        Files { rules: LoadingRules { precedence, ..Default::default() }, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the merged kubeconfig, and shows the files afterwards.
    #[track_caller]
    fn check(&self, change: impl FnOnce(&mut Kubeconfig), files: Expect) {
        let changed = self.rules.modify(|kubeconfig| {
            change(kubeconfig);
            Ok::<_, Error>(())
        });
        changed.unwrap();
        let mut shown = BTreeMap::new();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if let Ok(text) = fs::read_to_string(&path) {
                shown.insert(path.file_name().unwrap().to_owned(), text);
            }
        }
        let shown: String =
            shown.iter().map(|(name, text)| format!("-- {} --\n{text}", name.display())).collect();
        files.assert_eq(&shown);
    }
}

#[test]
fn the_first_file_wins_for_each_entry_and_each_scalar() {
    let files = Files::new(&[
        (
            "a",
            Some(
                "{clusters: [{name: both, cluster: {server: 'https://a'}}], users: [{name: both, user: null}]}",
            ),
        ),
        ("missing", None),
        (
            "b",
            Some(
                "{current-context: b, contexts: [{name: b, context: {cluster: both, user: both}}],
                  clusters: [{name: both, cluster: {server: 'https://b', tls-server-name: b}},
                             {name: only-b, cluster: {server: 'https://only-b'}}],
                  users: [{name: both, user: {token: b}}]}",
            ),
        ),
        (
            "c",
            Some("{current-context: c, preferences: {colors: true}, extensions: [{name: x, extension: c}]}"),
        ),
    ]);
    let merged = files.rules.load().unwrap();
    // An entry is not merged field by field: the first file wins as a whole.
    expect![[r#"
        apiVersion: v1
        clusters:
        - cluster:
            server: https://a
          name: both
        - cluster:
            server: https://only-b
          name: only-b
        contexts:
        - context:
            cluster: both
            user: both
          name: b
        current-context: b
        extensions:
        - extension: c
          name: x
        kind: Config
        preferences:
          colors: true
        users:
        - name: both
          user: {}
    "#]]
    .assert_eq(&merged.to_yaml());
    assert_eq!(merged.clusters[1].origin(), Some(files.path("b").as_path()));
    assert_eq!(files.rules.default_file().unwrap(), files.path("a"));
}

#[test]
fn paths_begin_at_the_folder_of_the_file_that_names_them() {
    let files = Files::new(&[
        ("one/config", Some("{users: [{name: u, user: {tokenFile: token}}]}")),
        (
            "two/config",
            Some(
                "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
                  clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ../ca}}]}",
            ),
        ),
    ]);
    let error = files.rules.load().unwrap().config(&Default::default()).unwrap_err().to_string();
    let folder = files.folder.path().display();
    assert!(error.contains(&format!("unable to read certificate-authority {folder}/ca for c")), "{error}");
    let text = "{clusters: [{name: c, cluster: {server: 'https://h'}}]}";
    let files = Files::new(&[
        ("one/config", Some("{users: [{name: u, user: {tokenFile: token}}]}")),
        ("two", Some(text)),
    ]);
    let rules = &files.rules;
    rules
        .modify(|kubeconfig| {
            kubeconfig.contexts.push(Named::new(
                "c",
                Context { cluster: "c".into(), user: "u".into(), ..Default::default() },
            ));
            kubeconfig.current_context = "c".to_owned();
            Ok::<_, Error>(())
        })
        .unwrap();
    fs::write(files.path("one/token"), "t0ken").unwrap();
    let config = rules.load().unwrap().config(&Default::default()).unwrap();
    let file = files.path("one/token").display().to_string();
    assert_eq!(format!("{:?}", config.credentials), format!("Provider(token file {file})"));
}

#[test]
fn an_entry_goes_back_to_the_file_that_it_came_from() {
    let files = Files::new(&[
        ("a", Some("{clusters: [{name: a, cluster: {server: 'https://a'}}]}")),
        (
            "b",
            Some(
                "{unknown: {x: 1}, current-context: b, users: [{name: u, more: 2, user: {token: t, new-field: [3]}}],
                  contexts: [{name: b, context: {cluster: a, user: u, other: 4}}, {name: gone}]}",
            ),
        ),
    ]);
    files.check(
        |kubeconfig| {
            kubeconfig.users[0].value.token = Some("t2".to_owned());
            kubeconfig.contexts.retain(|context| context.name != "gone");
            kubeconfig.contexts[0].name = "renamed".to_owned();
            let cluster = Cluster { server: "https://c".to_owned(), ..Default::default() };
            kubeconfig.clusters.push(Named::new("c", cluster));
        },
        expect![[r#"
            -- a --
            apiVersion: v1
            clusters:
            - cluster:
                server: https://a
              name: a
            - cluster:
                server: https://c
              name: c
            contexts: null
            current-context: ""
            kind: Config
            users: null
            -- b --
            apiVersion: v1
            clusters: null
            contexts:
            - context:
                cluster: a
                other: 4
                user: u
              name: renamed
            current-context: b
            kind: Config
            unknown:
              x: 1
            users:
            - more: 2
              name: u
              user:
                new-field:
                - 3
                token: t2
        "#]],
    );
}

#[test]
fn the_current_context_is_set_in_the_default_file_and_removed_where_it_is_set() {
    let files = Files::new(&[("missing", None), ("a", Some("{}")), ("b", Some("{current-context: b}"))]);
    let empty =
        "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n";
    files.check(
        |kubeconfig| kubeconfig.current_context.clear(),
        expect![[r#"
            -- a --
            {}-- b --
            apiVersion: v1
            clusters: null
            contexts: null
            current-context: ""
            kind: Config
            users: null
        "#]],
    );
    files
        .rules
        .modify(|kubeconfig| {
            kubeconfig.current_context = "a".to_owned();
            Ok::<_, Error>(())
        })
        .unwrap();
    let text = fs::read_to_string(files.path("a")).unwrap();
    assert_eq!(text, empty.replace("\"\"", "a"));
    // Nothing is written where nothing changed.
    fs::write(files.path("b"), "# kept\n").unwrap();
    files.rules.modify(|_| Ok::<_, Error>(())).unwrap();
    assert_eq!(fs::read_to_string(files.path("b")).unwrap(), "# kept\n");
}

#[test]
fn the_configuration_of_an_auth_provider_is_written_back() {
    let text =
        "{users: [{name: u, user: {auth-provider: {name: oidc, config: {id-token: old, client-id: c}}}}]}";
    let files = Files::new(&[("config", Some(text))]);
    let path = files.path("config");
    let user = files.rules.load().unwrap().users.remove(0);
    Kubeconfig::modify(user.origin().unwrap(), |kubeconfig| {
        let user = kubeconfig.users.iter_mut().find(|other| other.name == user.name).unwrap();
        user.value.auth_provider.as_mut().unwrap()["config"]["id-token"] = "new".into();
        Ok::<_, Error>(())
    })
    .unwrap();
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.contains(
            "auth-provider:\n      config:\n        client-id: c\n        id-token: new\n      name: oidc\n"
        ),
        "{text}"
    );
}

#[test]
fn a_lock_of_another_program_is_respected() {
    let files = Files::new(&[("config", Some("{}"))]);
    let path = files.path("config");
    let lock = files.path("config.lock");
    let modify = || Kubeconfig::modify(&path, |_| Ok::<_, Error>(lock.exists()));
    assert!(modify().unwrap());
    assert!(!lock.exists());
    fs::write(&lock, "").unwrap();
    let error = modify().unwrap_err().to_string();
    let (config, lock) = (path.display(), lock.display());
    let told = format!("kubeconfig {config}: cannot be used: open {lock}: file exists: another program");
    assert!(error.starts_with(&told), "{error}");
}

#[test]
fn concurrent_changes_are_all_kept() {
    let files = Files::new(&[("config", None)]);
    let path = &files.path("config");
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                Kubeconfig::modify(path, |kubeconfig| {
                    kubeconfig.users.push(Named::new(format!("u{number}"), AuthInfo::default()));
                    Ok::<_, Error>(())
                })
                .unwrap();
            });
        }
    });
    assert_eq!(Kubeconfig::read(path).unwrap().users.len(), 8);
}

#[test]
fn a_file_keeps_its_mode_and_a_link_its_target() {
    let files = Files::new(&[("new/config", None), ("old", Some("{}"))]);
    let add = |path: &PathBuf| {
        Kubeconfig::modify(path, |kubeconfig| {
            kubeconfig.current_context = "c".to_owned();
            Ok::<_, Error>(())
        })
    };
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (new, old, link) = (files.path("new/config"), files.path("old"), files.path("link"));
    add(&new).unwrap();
    assert_eq!(mode(&new), 0o600);
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&old, &link).unwrap();
    add(&link).unwrap();
    assert_eq!(mode(&old), 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&old).unwrap().contains("current-context: c"));
    let names = fs::read_dir(files.folder.path()).unwrap().count();
    assert_eq!(names, 3, "no file is left behind");
}

#[test]
fn it_is_minified_flattened_and_redacted() {
    let files = Files::new(&[(
        "config",
        Some(
            "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}, {name: other}],
              clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca}}, {name: other}],
              users: [{name: u, user: {token: s3cret, client-key: key, password: s3cret, username: me}}]}",
        ),
    )]);
    fs::write(files.path("ca"), "hello").unwrap();
    let mut kubeconfig = files.rules.load().unwrap();
    kubeconfig.minify().unwrap();
    let error = kubeconfig.clone().flatten().unwrap_err().to_string();
    assert!(error.ends_with("/key: no such file or directory"), "{error}");
    fs::write(files.path("key"), "s3cret").unwrap();
    kubeconfig.flatten().unwrap();
    let mut redacted = kubeconfig.clone();
    redacted.redact();
    expect![[r#"
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: DATA+OMITTED
            server: https://h
          name: c
        contexts:
        - context:
            cluster: c
            user: u
          name: c
        current-context: c
        kind: Config
        users:
        - name: u
          user:
            client-key-data: DATA+OMITTED
            password: REDACTED
            token: REDACTED
            username: me
    "#]]
    .assert_eq(&redacted.to_yaml());
    assert!(kubeconfig.to_yaml().contains("certificate-authority-data: aGVsbG8=\n"));
    assert!(!format!("{kubeconfig:?}").contains("s3cret"));
    for (current, problem) in [
        ("", "current-context must exist in order to minify"),
        ("gone", "cannot locate context gone"),
        ("other", "cannot locate cluster nowhere"),
    ] {
        let mut kubeconfig =
            Kubeconfig::parse("{contexts: [{name: other, context: {cluster: nowhere}}]}").unwrap();
        kubeconfig.current_context = current.to_owned();
        let error = kubeconfig.minify().unwrap_err().to_string();
        assert_eq!(error, format!("kubeconfig: cannot be used: {problem}"));
    }
}
