//! [`Semver`], a semantic version.

use std::cmp::Ordering;
use std::fmt;

use klient_apimachinery::go::quoted;

use crate::failure::{Failure, Result};

/// A semantic version.
#[derive(Clone, Debug)]
pub(crate) struct Semver {
    /// Major, minor and patch.
    pub(crate) numbers: [u64; 3],
    pre_release: Vec<String>,
    build: Vec<String>,
}

impl Semver {
    pub(crate) fn parse(text: &str) -> Result<Semver> {
        if text.is_empty() {
            return Err(Failure::error("Version string empty"));
        }
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let [major, minor, rest] = parts[..] else {
            return Err(Failure::error("No Major.Minor.Patch elements found"));
        };
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, build.split('.').map(str::to_owned).collect()),
            None => (rest, Vec::new()),
        };
        let (patch, pre_release) = match rest.split_once('-') {
            Some((patch, pre)) => (patch, pre.split('.').map(str::to_owned).collect()),
            None => (rest, Vec::new()),
        };
        let numbers = [number("major", major)?, number("minor", minor)?, number("patch", patch)?];
        for part in &pre_release {
            identifier(part, "Prerelease is empty", "Invalid character(s) found in prerelease")?;
            if part.len() > 1 && part.starts_with('0') && part.bytes().all(|c| c.is_ascii_digit()) {
                let part = quoted(part);
                return Err(Failure::Error(format!(
                    "Numeric PreRelease version must not contain leading zeroes {part}"
                )));
            }
        }
        for part in &build {
            identifier(part, "Build meta data is empty", "Invalid character(s) found in build meta data")?;
        }
        Ok(Semver { numbers, pre_release, build })
    }

    /// Parses a version that may begin with `v`, lack its last numbers, and have leading zeros.
    pub(crate) fn parse_tolerant(text: &str) -> Result<Semver> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(str::to_owned).collect();
        for part in parts.iter_mut().filter(|part| part.len() > 1) {
            let trimmed = part.trim_start_matches('0');
            let digit = trimmed.starts_with(|c: char| c.is_ascii_digit());
            *part = if digit { trimmed.to_owned() } else { format!("0{trimmed}") };
        }
        if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err(Failure::error("short version cannot contain PreRelease/Build meta data"));
        }
        parts.resize(3.max(parts.len()), "0".to_owned());
        Semver::parse(&parts.join("."))
    }

    pub(crate) fn compare(&self, other: &Semver) -> Ordering {
        let pre = || match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let parts = self.pre_release.iter().zip(&other.pre_release);
                let first = parts.map(|(one, other)| compare_parts(one, other)).find(|order| order.is_ne());
                first.unwrap_or_else(|| self.pre_release.len().cmp(&other.pre_release.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(pre)
    }
}

fn compare_parts(one: &str, other: &str) -> Ordering {
    let numeric = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    match (numeric(one), numeric(other)) {
        (true, true) => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => one.cmp(other),
    }
}

fn number(what: &str, text: &str) -> Result<u64> {
    let capital = format!("{}{}", what[..1].to_uppercase(), &what[1..]);
    if !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Failure::Error(format!("Invalid character(s) found in {what} number {}", quoted(text))));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(Failure::Error(format!(
            "{capital} number must not contain leading zeroes {}",
            quoted(text)
        )));
    }
    text.parse().map_err(|_| {
        let reason = if text.is_empty() { "invalid syntax" } else { "value out of range" };
        Failure::Error(format!("strconv.ParseUint: parsing {}: {reason}", quoted(text)))
    })
}

fn identifier(text: &str, empty: &str, invalid: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Failure::error(empty));
    }
    if text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
        return Ok(());
    }
    Err(Failure::Error(format!("{invalid} {}", quoted(text))))
}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if !self.pre_release.is_empty() {
            write!(f, "-{}", self.pre_release.join("."))?;
        }
        if self.build.is_empty() { Ok(()) } else { write!(f, "+{}", self.build.join(".")) }
    }
}
