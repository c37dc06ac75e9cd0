//! Cases recorded from kubectl, and the normalization of outputs before a comparison.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

/// One step: a case, or the setup of the next one.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    /// Arguments of a kubectl command for the setup, run as admin.
    #[serde(default)]
    pub setup: Vec<String>,
    #[serde(default)]
    pub section: String,
    #[serde(default)]
    pub title: String,
    /// User that runs the case.
    #[serde(rename = "as", default)]
    pub who: String,
    #[serde(default)]
    pub args: Vec<String>,
    /// Files to write into the working directory.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    pub stdin: Option<String>,
    pub expect: Option<Expected>,
    #[serde(default)]
    pub expect_1_33: Partial,
}

/// Output and exit code of kubectl 1.37.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Expected {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Differing output and exit code of kubectl 1.33.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Partial {
    exit: Option<i32>,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Expected {
    /// Returns the output of kubectl 1.33.
    pub(crate) fn of_1_33(self, partial: &Partial) -> Self {
        Expected {
            exit: partial.exit.unwrap_or(self.exit),
            stdout: partial.stdout.clone().unwrap_or(self.stdout),
            stderr: partial.stderr.clone().unwrap_or(self.stderr),
        }
    }

    /// Replaces values that vary from run to run, such as times and UIDs.
    pub(crate) fn normalized(&self) -> Self {
        Expected { exit: self.exit, stdout: normal(&self.stdout), stderr: normal(&self.stderr) }
    }
}

impl Step {
    /// Returns the name of the case.
    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.section, self.title)
    }
}

/// Returns all steps in order.
pub(crate) fn steps() -> Vec<Step> {
    let lines = include_str!("kubectl-cases.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a step")).collect()
}

fn normal(text: &str) -> String {
    const RULES: [(&str, &str); 10] = [
        // Log lines of client-go's discovery cache, which precede the error message.
        (r"(?m)^[EI]\d{4} .*\n", ""),
        // kubectl logs some warnings with klog; klient prints all in one format.
        (r"(?m)^W\d{4} [^\]]*\] ", "Warning: "),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "TIME"),
        (r"[^ \n]*/(LIVE|MERGED)-(\d+|N)", "TMP/${1}"),
        (r#"(resourceVersion"?: )"\d+""#, "${1}VERSION"),
        (r"\b10\.\d+\.\d+\.\d+ *", "IP "),
        // Long ages widen their column.
        (r"(?m)\b(AGE|(\d+[smhd])+)( +|$)", "AGE "),
        (r"(?m) +$", ""),
    ];
    RULES.iter().fold(text.to_owned(), |text, (pattern, to)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *to).into_owned()
    })
}
