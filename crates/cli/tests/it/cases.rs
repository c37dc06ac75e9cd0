//! Cases recorded from kubectl, and how two outputs are compared.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

/// One step: a case, or what has to be there before the next one.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    /// Arguments of kubectl that make something, run as admin.
    #[serde(default)]
    pub setup: Vec<String>,
    #[serde(default)]
    pub section: String,
    #[serde(default)]
    pub title: String,
    /// Who runs it.
    #[serde(rename = "as", default)]
    pub who: String,
    #[serde(default)]
    pub args: Vec<String>,
    /// Files that are new in the working folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    pub stdin: Option<String>,
    pub expect: Option<Expected>,
    #[serde(default)]
    pub expect_1_33: Partial,
}

/// What kubectl 1.37 printed.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Expected {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Where kubectl 1.33 printed something else.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Partial {
    exit: Option<i32>,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Expected {
    /// What kubectl 1.33 prints.
    pub(crate) fn of_1_33(self, partial: &Partial) -> Self {
        Expected {
            exit: partial.exit.unwrap_or(self.exit),
            stdout: partial.stdout.clone().unwrap_or(self.stdout),
            stderr: partial.stderr.clone().unwrap_or(self.stderr),
        }
    }

    /// Without what varies from run to run.
    pub(crate) fn normalized(&self) -> Self {
        Expected { exit: self.exit, stdout: normal(&self.stdout), stderr: normal(&self.stderr) }
    }
}

impl Step {
    /// The name in lists.
    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.section, self.title)
    }
}

/// All steps, in order.
pub(crate) fn steps() -> Vec<Step> {
    let lines = include_str!("kubectl-cases.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a step")).collect()
}

fn normal(text: &str) -> String {
    const RULES: [(&str, &str); 10] = [
        // client-go's discovery cache logs; what is wrong is said again behind it.
        (r"(?m)^[EI]\d{4} .*\n", ""),
        // What kubectl logs as a warning, klient prints like other warnings.
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
