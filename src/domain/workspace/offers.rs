//! What a workspace offers to whoever works in a tree of it, in words.

use super::{Specification, Step, work::Report};
use crate::contract::configuration::Install;

/// Says what there is in each tree of a workspace beside the repository's own files, a sentence or two each.
pub(super) fn offers(specification: &Specification, reports: &[Report]) -> Vec<String> {
    let mut offers = Vec::new();
    let evidence = |step: Step| {
        let report = reports.iter().find(|report| report.step == step);
        report.and_then(|report| report.evidence.clone())
    };
    if specification.has_environment() {
        let python = evidence(Step::Environment).unwrap_or_default();
        let packages = evidence(Step::Install).unwrap_or_default();
        offers.push(format!(
            "A Python environment of this worktree's own, first on `PATH` and in `VIRTUAL_ENV`: {python}, {packages}. \
             What you install there (`uv pip install`) stays there and is no part of your change: what the code needs \
             must be declared in the repository. `uv run` uses it as it is."
        ));
        offers.push(
            match specification.install() {
                Install::Editable => {
                    "The repository is installed in it editable, from this worktree: what you change is what is imported."
                }
                Install::Wheel => {
                    "The repository is installed in it as a wheel built from this worktree as it was: build it anew \
                     (`uv pip install --no-deps --no-build-isolation .`) to see the effect of a change."
                }
                Install::None => "The repository itself is not installed in it.",
            }
            .to_owned(),
        );
    }
    if let Some(command) = &specification.settings.prepare {
        let command = command.trim();
        offers.push(if command.contains(['\n', '`']) {
            "The worktree was prepared by a command of the workspace; what it made is no part of your change.".to_owned()
        } else {
            format!("The worktree was prepared by `{command}`; what it made is no part of your change.")
        });
    }
    offers
}
