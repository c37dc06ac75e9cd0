//! The syntax of the names of images (`github.com/distribution/reference`).

use std::sync::LazyLock;

use klient_apimachinery::go::quoted;
use regex::Regex;

use crate::error::CliError;

static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    let host = format!(r"(?:{label}(?:\.{label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?");
    let tag = "[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}";
    let digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
    let pattern = format!("^(?:{host}/)?{component}(?:/{component})*(?::{tag})?(?:@{digest})?$");
    Regex::new(&pattern).expect("the pattern is constant, and a test compiles it")
});

/// The problem of a name with another form.
pub(crate) const INVALID: &str = "invalid reference format";

/// Returns true for the name of an image: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
pub(crate) fn is_valid(image: &str) -> bool {
    REFERENCE.is_match(image)
}

/// Checks the name of `--image`.
///
/// # Errors
///
/// If it has another form.
pub(crate) fn check(image: &str) -> Result<(), CliError> {
    match is_valid(image) {
        true => Ok(()),
        false => Err(CliError::Message(format!("invalid image name {}: {INVALID}", quoted(image)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_host_a_path_a_tag_and_a_digest() {
        let digest = format!("busybox@sha256:{}", "0a".repeat(16));
        for valid in
            ["busybox", "a/b_c/d--e:1.2-x_", "localhost:5000/a", "[::1]:80/a", "A.example/b", &digest]
        {
            assert!(is_valid(valid), "{valid}");
        }
        for invalid in ["", "Busybox", "a:", "a b", "a//b", "a@sha256:0", ":a", "a___b", "busybox\n"] {
            assert!(!is_valid(invalid), "{invalid}");
        }
    }
}
