//! Files of tokens, in the format of kube-apiserver's `--token-auth-file`: CSV records of a token, a user's name, its
//! UID and, if it is in groups, their names with commas between them.

use std::path::Path;

use super::User;

/// Why a file of tokens cannot be read.
pub(crate) type TokenFileError = Box<dyn std::error::Error + Send + Sync>;

/// Reads the tokens of a file and their users. A later record of a token replaces an earlier one.
///
/// # Errors
///
/// If the file cannot be read, or a record has no three columns.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, User)>, TokenFileError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(path)?;
    let mut tokens = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record?;
        let (Some(token), Some(name), Some(uid)) = (record.get(0), record.get(1), record.get(2)) else {
            let (number, found) = (index + 1, record.len());
            let expected = "at least 3 columns (token, user name, user uid)";
            return Err(format!("record {number} must have {expected}, found {found}").into());
        };
        if token.is_empty() {
            tracing::warn!(path = %path.display(), record = index + 1, "a record without a token is left out");
            continue;
        }
        let groups: Vec<String> =
            record.get(3).map_or(Vec::new(), |groups| groups.split(',').map(str::to_owned).collect());
        tokens.push((token.to_owned(), User { uid: uid.to_owned(), ..User::new(name, &groups) }));
    }
    Ok(tokens)
}
