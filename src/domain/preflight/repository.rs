//! The check of the repository that is to be worked on.

use super::check::{Check, Subject, shortened};
use crate::{contract::Code, domain::host::Facts};

/// Checks that the host can read the repository, by `git ls-remote URL HEAD` (recorded from git 2.47; an empty repository passes).
pub(super) fn repository(facts: &Facts) -> Check {
    let subject = Subject::Repository;
    let output = facts.text("remote");
    match facts.number::<i32>("remote_status") {
        Some(0) => {
            let commit = output.split_whitespace().next().unwrap_or_default();
            Check::pass(
                subject,
                if commit.is_empty() {
                    "the host can read it, and it is empty".to_owned()
                } else {
                    format!("the host can read it; its HEAD is {commit}")
                },
            )
        }
        Some(124) => Check::fail(
            subject,
            "git ls-remote did not answer within 30 s",
            "Check that the host can reach the repository's server.",
        )
        .with_code(Code::CloneFailed),
        Some(_) => Check::fail(
            subject,
            shortened(output.trim()),
            "Check the url, and that the host has credentials for it that work without a prompt.",
        )
        .with_code(Code::CloneFailed),
        None => Check::unknown(subject, "git could not be run"),
    }
}
