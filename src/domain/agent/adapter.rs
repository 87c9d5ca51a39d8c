//! What legwork knows of one agent's command line.

use super::{
    Error, Event, Login, ProjectSettings,
    report::Report,
    request::{CommandLine, Options, Request},
};

/// A command line that legwork knows how to drive.
///
/// An implementation is one file in `adapters` with a constant `ADAPTER`, its `mod` line, and one line in the list there.
/// Everything that depends on which agents there are (configuration, stored records, schemas, `list-agents`,
/// `probe-host`, `preflight`) goes through that list.
pub(crate) trait Adapter: Sync {
    /// Returns its name in configurations and in stored records, where it must stay the same for ever.
    fn name(&self) -> &'static str;

    /// Returns one line on what it is.
    fn summary(&self) -> &'static str;

    /// Returns the program it runs where the configuration names no other.
    ///
    /// None where the configuration has to give the whole argv.
    fn program(&self) -> Option<&'static str>;

    /// Returns the environment variables by which it can be logged in, each a secret.
    fn credentials(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns the options of a launch that it has. `argv` is that of the configuration, where it gives one.
    fn options(&self, argv: &[String]) -> Options;

    /// Returns the arguments that run it on a request; the first is the program. Never a shell text.
    ///
    /// The request has no option that [`Self::options`] leaves out.
    fn argv(&self, line: CommandLine<'_>, request: &Request<'_>) -> Result<Vec<String>, Error>;

    /// Returns whether the repository's own settings are left out where the configuration does not allow them, by what
    /// [`Self::argv`] and [`Self::variables`] add. `argv` is that of the configuration, where it gives one.
    fn project_settings(&self, argv: &[String]) -> ProjectSettings;

    /// Returns variables that a run needs so that the repository's own settings are left out; those of the configuration
    /// win. `argv` is that of the configuration, where it gives one.
    fn variables(&self, _argv: &[String]) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Returns the arguments that make it print its version; none where it cannot be asked.
    fn version_argv(&self, program: &str) -> Option<Vec<String>> {
        self.program()?;
        Some(vec![program.to_owned(), "--version".to_owned()])
    }

    /// Returns a POSIX shell script that asks it whether it is logged in; none where it cannot be asked.
    ///
    /// The script sees the program as `$1`.
    fn login_script(&self) -> Option<&'static str> {
        None
    }

    /// Returns the arguments that run the login script.
    fn login_argv(&self, program: &str) -> Option<Vec<String>> {
        let script = self.login_script()?;
        Some(
            ["sh", "-c", script, "sh", program]
                .map(str::to_owned)
                .into(),
        )
    }

    /// Reads what the login script printed.
    fn read_login(&self, _output: &str) -> Login {
        Login::unknown("this agent cannot be asked whether it is logged in")
    }

    /// Reads one line of its log; none where it is no line that the agent writes.
    fn read_line(&self, line: &str) -> Option<LogLine>;

    /// Returns whether its log says how it ended. A log of such an agent without an end is unfinished.
    fn reports_its_end(&self) -> bool {
        true
    }
}

/// What one line of a log says.
#[derive(Debug, Default)]
pub(crate) struct LogLine {
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
    /// What it adds to the summary.
    pub(crate) report: Report,
}

impl LogLine {
    /// Makes one that only says what happened.
    pub(super) fn of(events: impl IntoIterator<Item = Event>) -> Self {
        Self {
            events: events.into_iter().collect(),
            report: Report::default(),
        }
    }

    /// Adds to the summary.
    pub(super) fn with(mut self, report: Report) -> Self {
        self.report = report;
        self
    }
}
