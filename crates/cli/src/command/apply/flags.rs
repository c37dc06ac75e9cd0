//! Validation of the flags of `apply`, in kubectl's order.

use super::{ApplyArgs, apply_set};
use crate::dry_run::DryRun;
use crate::error::CliError;

/// Checks the flags that are required. Runs before any request.
pub(super) fn check_required(args: &ApplyArgs, program: &str) -> Result<(), CliError> {
    if args.apply_set.is_some() && !apply_set::is_enabled() {
        return Err(CliError::Message(format!(
            "unknown flag: --applyset\nSee '{program} apply --help' for usage."
        )));
    }
    error_if(args.files.is_empty(), "must specify one of -f and -k")
}

/// Checks flags that exclude each other. Runs after the parent of `--applyset` and `--prune-allowlist` are resolved.
pub(super) fn check_combinations(args: &ApplyArgs) -> Result<(), CliError> {
    let ApplyArgs { server_side, force, dry_run, .. } = *args;
    error_if(args.force_conflicts && !server_side, "--force-conflicts only works with --server-side")?;
    error_if(
        dry_run == DryRun::Client && server_side,
        "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
    )?;
    error_if(server_side && force, "--force cannot be used with --server-side")?;
    error_if(dry_run == DryRun::Server && force, "--dry-run=server cannot be used with --force")?;
    error_if(args.all && !args.selector.is_empty(), "cannot set --all and --selector at the same time")?;
    error_if(args.apply_set.is_some() && !args.prune, "--applyset requires --prune")
}

/// Checks the flags of pruning. Runs after the check of the apply set's parent.
pub(super) fn check_prune(args: &ApplyArgs) -> Result<(), CliError> {
    if args.prune {
        error_if(args.force, "--force cannot be used with --prune")?;
        if args.apply_set.is_some() {
            error_if(args.all, "--all is incompatible with --applyset")?;
            error_if(!args.selector.is_empty(), "--selector is incompatible with --applyset")?;
            error_if(!args.prune_allowlist.is_empty(), "--prune-allowlist is incompatible with --applyset")?;
        } else {
            error_if(
                !args.all && args.selector.is_empty(),
                "all resources selected for prune without explicitly passing --all. To prune all resources, pass the \
                 --all flag. If you did not mean to prune all resources, specify a label selector",
            )?;
            error_if(
                args.server_side,
                "--prune is in alpha and doesn't currently work on objects created by server-side apply",
            )?;
        }
    }
    error_if(
        !args.subresource.is_empty() && !args.server_side,
        "--subresource can only be specified for --server-side",
    )
}

fn error_if(condition: bool, problem: &str) -> Result<(), CliError> {
    if condition { Err(CliError::message(problem)) } else { Ok(()) }
}
