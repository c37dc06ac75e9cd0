//! `klient config get-users` and `delete-user`.

use klient_client::LoadingRules;

use super::{default_file, print_names, remove};
use crate::configuration::{load, modify};
use crate::error::CliError;
use crate::session::Session;

pub(super) fn get(rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let kubeconfig = load(rules)?;
    print_names(kubeconfig.users.iter().map(|user| user.name.as_str()), session)
}

pub(super) fn delete(names: &[String], rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let [name] = names else {
        return Err(CliError::Message(format!(
            "user to delete is required\nSee '{} config delete-user -h' for help and examples",
            session.program
        )));
    };
    let file = default_file(rules)?;
    modify(rules, |kubeconfig| remove(&mut kubeconfig.users, "user", name, &file))?;
    session.console.println(format_args!("deleted user {name} from {file}"))
}
