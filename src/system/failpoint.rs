//! Named points at which a test ends the process, as a crash would.

use std::sync::OnceLock;

static WANTED: OnceLock<Option<String>> = OnceLock::new();

/// Ends this process by SIGKILL when the environment variable `LEGWORK_FAILPOINT` names this point, and panics when it
/// names it behind `panic:`.
///
/// The points are listed in `docs/architecture.md`; tests go through all of them.
pub(crate) fn reached(name: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "read once; a crash must not depend on the context it interrupts"
    )]
    let wanted = WANTED.get_or_init(|| std::env::var("LEGWORK_FAILPOINT").ok());
    let Some(wanted) = wanted else {
        return;
    };
    if wanted == name {
        let _gone =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    assert!(
        wanted.strip_prefix("panic:") != Some(name),
        "the failpoint {name} was reached"
    );
}
