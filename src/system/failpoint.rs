//! Named points at which a test ends this process, as a power cut would.

use std::sync::OnceLock;

/// Ends this process with SIGKILL where `LEGWORK_FAILPOINT` names this point.
pub(crate) fn reached(name: &str) {
    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a failpoint is set from outside the whole program, for tests"
    )]
    let wanted = WANTED.get_or_init(|| std::env::var("LEGWORK_FAILPOINT").ok());
    if wanted.as_deref() == Some(name) {
        // Nothing is left to do where the kernel refuses: the test then sees that the call went on.
        let _refused =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
