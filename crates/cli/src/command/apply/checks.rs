//! Which flags go together.

use super::{ApplyArgs, apply_set};
use crate::dry_run::DryRun;
use crate::failure::Failure;

/// What is checked before anything is asked of the server.
pub(super) fn before(args: &ApplyArgs, program: &str) -> Result<(), Failure> {
    if args.apply_set.is_some() && !apply_set::is_enabled() {
        return Err(Failure::Message(format!(
            "unknown flag: --applyset\nSee '{program} apply --help' for usage."
        )));
    }
    refuse(args.files.is_empty(), "must specify one of -f and -k")
}

/// What is checked next, in kubectl's order.
pub(super) fn together(args: &ApplyArgs) -> Result<(), Failure> {
    let ApplyArgs { server_side, force, dry_run, .. } = *args;
    refuse(args.force_conflicts && !server_side, "--force-conflicts only works with --server-side")?;
    refuse(
        dry_run == DryRun::Client && server_side,
        "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
    )?;
    refuse(server_side && force, "--force cannot be used with --server-side")?;
    refuse(dry_run == DryRun::Server && force, "--dry-run=server cannot be used with --force")?;
    refuse(args.all && !args.selector.is_empty(), "cannot set --all and --selector at the same time")?;
    refuse(args.apply_set.is_some() && !args.prune, "--applyset requires --prune")
}

/// What is checked last.
pub(super) fn pruning(args: &ApplyArgs) -> Result<(), Failure> {
    if args.prune {
        refuse(args.force, "--force cannot be used with --prune")?;
        if args.apply_set.is_some() {
            refuse(args.all, "--all is incompatible with --applyset")?;
            refuse(!args.selector.is_empty(), "--selector is incompatible with --applyset")?;
            refuse(!args.prune_allowlist.is_empty(), "--prune-allowlist is incompatible with --applyset")?;
        } else {
            refuse(
                !args.all && args.selector.is_empty(),
                "all resources selected for prune without explicitly passing --all. To prune all resources, pass the \
                 --all flag. If you did not mean to prune all resources, specify a label selector",
            )?;
            refuse(
                args.server_side,
                "--prune is in alpha and doesn't currently work on objects created by server-side apply",
            )?;
        }
    }
    refuse(
        !args.subresource.is_empty() && !args.server_side,
        "--subresource can only be specified for --server-side",
    )
}

fn refuse(wrong: bool, problem: &str) -> Result<(), Failure> {
    if wrong { Err(Failure::message(problem)) } else { Ok(()) }
}
