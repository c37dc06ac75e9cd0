//! [`command`], the command that runs a test.

use std::env;
use std::path::Path;
use std::thread;

/// The command that runs the test of this thread: of its package, if cargo runs it, and of its target, if that is known.
pub(crate) fn command(arguments: &str) -> String {
    let package = env::var("CARGO_PKG_NAME").ok();
    let target = package.as_deref().and_then(|package| {
        let executable = env::current_exe().ok()?;
        target(Path::new(&env::var_os("CARGO_MANIFEST_DIR")?), package, &executable)
    });
    let test = thread::current().name().filter(|name| *name != "main").map(str::to_owned);
    let parts = [
        Some("cargo test".to_owned()),
        package.map(|package| format!("-p {package}")),
        Some(arguments.to_owned()).filter(|arguments| !arguments.is_empty()),
        target,
        test.map(|test| format!("-- --exact {test} --nocapture")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The option of cargo that selects the target of an executable, which cargo has named `TARGET-HASH`.
fn target(package_folder: &Path, package: &str, executable: &Path) -> Option<String> {
    let (name, _) = executable.file_stem()?.to_str()?.rsplit_once('-')?;
    let folder = executable.parent()?.file_name()?;
    let exists = |paths: &[&str]| paths.iter().any(|path| package_folder.join(path).is_file());
    let is_package = name == package.replace('-', "_");
    if folder == "examples" {
        Some(format!("--example {name}"))
    } else if exists(&[&format!("tests/{name}.rs"), &format!("tests/{name}/main.rs")]) {
        Some(format!("--test {name}"))
    } else if is_package && exists(&["src/lib.rs"]) && !exists(&["src/main.rs"]) {
        Some("--lib".to_owned())
    } else if exists(&[&format!("src/bin/{name}.rs"), &format!("src/bin/{name}/main.rs")]) {
        Some(format!("--bin {name}"))
    } else {
        None
    }
}
