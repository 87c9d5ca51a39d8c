//! The checks of how runs end on a host: whether the kernel keeps them together, and whether a logout ends them.

use super::check::{Check, Subject};
use crate::domain::host::Facts;

/// Checks what keeps a run together on the host.
pub(super) fn containment(facts: &Facts) -> Check {
    let subject = Subject::Containment;
    match facts.first("contained") {
        Some("pid_namespace") => Check::pass(subject, "each run gets a pid namespace of its own"),
        Some("cgroup") => Check::pass(subject, "each run gets a control group of its own"),
        Some(_) => Check::warn(
            subject,
            "neither a pid namespace nor a control group can be made there",
            "Allow user namespaces (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, or the AppArmor restriction of them), or install bubblewrap: until then a program that hides from its run may outlive it.",
        ),
        None => Check::unknown(subject, "the host did not report it"),
    }
}

/// Checks whether what a login started lives on when the login ends.
pub(super) fn logout(facts: &Facts) -> Check {
    let subject = Subject::Logout;
    let is_so = |name: &str| facts.first(name).map(|value| value == "yes");
    match (is_so("kill_user_processes"), is_so("linger")) {
        (Some(true), Some(true)) => Check::pass(
            subject,
            "the host ends what a login leaves behind, but not of this user, who lingers",
        ),
        (Some(true), _) => Check::warn(
            subject,
            "the host ends all processes of a user whose last login ends (KillUserProcesses)",
            "Run `loginctl enable-linger` on the host once, or keep a login open there: else an agent is killed when the connection that started it is closed.",
        ),
        (Some(false), _) => Check::pass(subject, "the host leaves what a login started alone"),
        (None, _) => Check::unknown(subject, "the host did not report it"),
    }
}
