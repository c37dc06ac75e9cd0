//! The `User-Agent` header, in the form of client-go.

/// The `User-Agent` header of a program, as client-go writes it: `NAME/VERSION (OS/ARCH) klient/VERSION`, with Go's
/// words for the operating system and the architecture.
///
/// Without a `fieldManager` a server takes the name as the manager of the fields that a request writes.
///
/// ```
/// use klient_client::{Config, user_agent};
/// # fn f() -> Result<(), klient_client::Error> {
/// let mut config = Config::from_url("https://api.example:6443")?;
/// config.user_agent = user_agent("shop-controller", env!("CARGO_PKG_VERSION"));
/// assert!(config.user_agent.starts_with("shop-controller/0.1.0 ("));
/// # Ok(()) }
/// # f().unwrap();
/// ```
pub fn user_agent(name: &str, version: &str) -> String {
    let or_unknown = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
    let (name, version) = (or_unknown(name), or_unknown(version));
    format!("{name}/{version} ({}/{}) klient/{}", os(), architecture(), env!("CARGO_PKG_VERSION"))
}

/// The header of a program that sets none: its name is that of its file.
pub(super) fn default_user_agent() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&program).file_name().unwrap_or_default().to_string_lossy();
    // Other characters cannot be in a header, or would end the name.
    let name = name.replace(|character: char| !character.is_ascii_graphic() || character == '/', "_");
    user_agent(&name, "")
}

/// Go's `GOOS`.
fn os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

/// Go's `GOARCH`.
fn architecture() -> &'static str {
    let is_little = cfg!(target_endian = "little");
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" if is_little => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        architecture => architecture,
    }
}
