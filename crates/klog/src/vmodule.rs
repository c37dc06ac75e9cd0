//! [`VModule`], verbosities of files (`--vmodule`).

use std::fmt;
use std::str::FromStr;

use klient_apimachinery::go::quoted;

use crate::{Error, glob};

/// Verbosities by patterns of file names, of which the first that matches counts: `reflector=4,http_*=6`. Parsers of
/// command lines read it with the errors of klog's flag.
///
/// As in klog, a pattern is for the name of a file without its folders and its suffix: `mod=4` and `lib=4` are for the files
/// of these names in all crates.
///
/// ```
/// use klient_klog::VModule;
///
/// let vmodule: VModule = "reflector=4,http_*=6".parse()?;
/// assert_eq!(vmodule.to_string(), "reflector=4,http_*=6");
/// let error = "reflector".parse::<VModule>().unwrap_err();
/// assert_eq!(error.to_string(), "syntax error: expect comma-separated list of filename=N");
/// # Ok::<(), klient_klog::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct VModule {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    verbosity: i32,
}

/// A part of a list that does not parse.
struct Malformed<'a> {
    part: &'a str,
    problem: &'static str,
}

impl FromStr for VModule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        VModule::read(text).map_err(|malformed| Error::new(malformed.problem))
    }
}

impl VModule {
    /// Parses a list, with errors that name the flag and the part at fault.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        VModule::read(text).map_err(|Malformed { part, problem }| {
            Error::new(format!("--vmodule: {part}: {problem}", part = quoted(part)))
        })
    }

    fn read(text: &str) -> Result<Self, Malformed<'_>> {
        let mut rules = Vec::new();
        // An empty part, as after the last comma, is not an error in klog.
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let malformed = |problem| Malformed { part, problem };
            let syntax = || malformed("syntax error: expect comma-separated list of filename=N");
            let (pattern, verbosity) = part.split_once('=').ok_or_else(syntax)?;
            if pattern.is_empty() {
                return Err(syntax());
            }
            let verbosity: i32 = verbosity.parse().map_err(|_| syntax())?;
            if verbosity < 0 {
                return Err(malformed("negative value for vmodule level"));
            }
            if glob::matches(pattern, "").is_none() {
                return Err(malformed("syntax error in pattern"));
            }
            if verbosity > 0 {
                rules.push(Rule { pattern: pattern.to_owned(), verbosity });
            }
        }
        Ok(VModule { rules })
    }

    /// The verbosity of a source file, by its name without folders and suffix; 0 if no pattern matches. `None` without
    /// patterns.
    pub(crate) fn verbosity(&self, file: Option<&str>) -> Option<i32> {
        let file = file.filter(|_| !self.rules.is_empty())?;
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let name = name.strip_suffix(".rs").unwrap_or(name);
        let rule = self.rules.iter().find(|rule| glob::matches(&rule.pattern, name) == Some(true));
        Some(rule.map_or(0, |rule| rule.verbosity))
    }

    /// The highest verbosity of a pattern.
    pub(crate) fn highest(&self) -> i32 {
        self.rules.iter().map(|rule| rule.verbosity).max().unwrap_or(0)
    }
}

impl fmt::Display for VModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Rule { pattern, verbosity }) in self.rules.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{pattern}={verbosity}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_matches_the_name_of_the_file_counts() {
        let vmodule = VModule::parse("reflector=4,r*=2,zero=0,").unwrap();
        for (file, verbosity) in [
            ("crates/cache/src/reflector.rs", 4),
            ("crates\\client\\src\\rest.rs", 2),
            ("src/zero.rs", 0),
            ("src/main.rs", 0),
        ] {
            assert_eq!(vmodule.verbosity(Some(file)), Some(verbosity), "{file}");
        }
        assert_eq!((vmodule.verbosity(None), vmodule.highest()), (None, 4));
        assert_eq!(VModule::default().verbosity(Some("src/main.rs")), None);
        assert_eq!(vmodule.to_string(), "reflector=4,r*=2");
    }

    #[test]
    fn a_list_that_does_not_parse_is_one_error() {
        for (text, problem) in [
            ("a", "--vmodule: \"a\": syntax error: expect comma-separated list of filename=N"),
            ("a=1,=2", "--vmodule: \"=2\": syntax error: expect comma-separated list of filename=N"),
            ("a=x", "--vmodule: \"a=x\": syntax error: expect comma-separated list of filename=N"),
            ("a=1=2", "--vmodule: \"a=1=2\": syntax error: expect comma-separated list of filename=N"),
            ("a=-1", "--vmodule: \"a=-1\": negative value for vmodule level"),
            ("[=1", "--vmodule: \"[=1\": syntax error in pattern"),
        ] {
            assert_eq!(VModule::parse(text).unwrap_err().to_string(), problem);
        }
    }
}
