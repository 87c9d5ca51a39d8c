//! Progress and logs, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts to write `tracing` events: JSON lines, or short human lines on a terminal.
///
/// `LEGWORK_LOG` sets the level (`error`, `warn`, `info`, `debug`, `trace`, `off`), also for single targets as in
/// `info,legwork::system::ssh=debug`; `warn` where it is not set.
pub(super) fn start() {
    #[expect(
        clippy::disallowed_methods,
        reason = "logging starts before there is a context, so that nothing goes unlogged"
    )]
    let wanted = std::env::var("LEGWORK_LOG").unwrap_or_default();
    let filter: Targets = wanted
        .parse()
        .ok()
        .filter(|_| !wanted.is_empty())
        .unwrap_or_else(|| Targets::new().with_default(tracing::Level::WARN));
    let registry = tracing_subscriber::registry().with(filter);
    // Logging that is already there, as in a test, stays.
    let _stays = if io::stderr().is_terminal() {
        registry
            .with(
                fmt::layer()
                    .with_writer(io::stderr)
                    .without_time()
                    .with_target(false)
                    .compact(),
            )
            .try_init()
    } else {
        registry
            .with(fmt::layer().with_writer(io::stderr).json())
            .try_init()
    };
}
