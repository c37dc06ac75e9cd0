//! The default name of a manager.

use klient_apimachinery::go::is_printable;

/// The longest name of a manager, in bytes.
const LONGEST: usize = 128;

/// The default name of a manager, for requests without `fieldManager`: the user agent up to the first slash, without
/// unprintable characters, 128 bytes at most.
///
/// ```
/// use klient_structured_merge::manager_of_user_agent;
/// assert_eq!(manager_of_user_agent("kube-controller-manager/v1.37.0 (linux/amd64)"), "kube-controller-manager");
/// assert_eq!(manager_of_user_agent("a\u{7}b"), "ab");
/// ```
pub fn manager_of_user_agent(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or_default();
    let mut out = String::new();
    for c in name.chars().filter(|c| is_printable(*c)) {
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        out.push(c);
    }
    out
}
