//! Token files, in the format of kube-apiserver's `--token-auth-file`: CSV records of a token, a user's name, its UID
//! and optionally its groups, separated by commas.

mod csv;

use std::collections::HashSet;
use std::path::Path;

use super::User;

/// The reason why a token file cannot be read.
pub(crate) type TokenFileError = Box<dyn std::error::Error + Send + Sync>;

/// Reads the tokens of a file and their users. A later record of a token replaces an earlier one, and a record
/// without a token is ignored, both with a warning.
///
/// # Errors
///
/// If the file cannot be read, is not valid CSV, or a record has fewer than three columns.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, User)>, TokenFileError> {
    let mut seen = HashSet::new();
    let mut tokens = Vec::new();
    for (index, record) in csv::records(&std::fs::read_to_string(path)?)?.into_iter().enumerate() {
        let number = index + 1;
        let [token, name, uid, more @ ..] = &record[..] else {
            let expected = "at least 3 columns (token, user name, user uid)";
            return Err(format!("record {number} must have {expected}, found {}", record.len()).into());
        };
        let file = path.display();
        if token.is_empty() {
            tracing::warn!("empty token has been found in token file '{file}', record number '{number}'");
            continue;
        }
        if !seen.insert(token.clone()) {
            tracing::warn!("duplicate token has been found in token file '{file}', record number '{number}'");
        }
        let groups = more.first().map_or(Vec::new(), |groups| groups.split(',').map(str::to_owned).collect());
        tokens.push((token.clone(), User { uid: uid.clone(), ..User::new(name, &groups) }));
    }
    Ok(tokens)
}
