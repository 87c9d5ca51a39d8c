//! Logs, on standard error; what a call waits for is shown there by `system::progress`.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;
use tracing_subscriber::{
    filter::Targets, fmt, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::{
    contract::text,
    system::{Context, secrets::Redactor},
};

/// Standard error, with secrets taken out of every line.
struct Masked(Redactor);

/// One event on its way to standard error, which writes it when dropped.
struct Line {
    redactor: Redactor,
    bytes: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            redactor: self.0.clone(),
            bytes: Vec::new(),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // In a line of JSON a secret may be written with escapes, so its texts are masked one by one.
        let mut line = match serde_json::from_slice::<Value>(&self.bytes) {
            Ok(mut event) => {
                self.redactor.texts(&mut event);
                text::json(event.to_string())
            }
            // A line for people goes to a terminal, which must not obey what a host wrote into it.
            Err(_) => self
                .redactor
                .text(String::from_utf8_lossy(&self.bytes).trim_end())
                .lines()
                .map(text::escape)
                .collect::<Vec<_>>()
                .join("\n"),
        };
        line.push('\n');
        // A log that cannot be written is no failure of the call.
        let _unwritten = io::stderr().lock().write_all(line.as_bytes());
    }
}

/// Starts to write `tracing` events: JSON lines, or short human lines on a terminal.
///
/// `LEGWORK_LOG` sets the level (`error`, `warn`, `info`, `debug`, `trace`, `off`), also for single targets as in
/// `info,legwork::system::ssh=debug`; `warn` where it is not set.
pub(super) fn start(context: &Context) {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much is logged is no matter of any primitive"
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
                    .with_writer(Masked(context.redactor()))
                    .log_internal_errors(false)
                    .without_time()
                    .with_target(false)
                    .compact(),
            )
            .try_init()
    } else {
        registry
            .with(
                fmt::layer()
                    .with_writer(Masked(context.redactor()))
                    .log_internal_errors(false)
                    .json(),
            )
            .try_init()
    };
}
