//! The list of runners. A new one is its file, its `mod` line, and its line here.

use super::{direct::Direct, error::Error, runner::Runner};

/// All runners.
static RUNNERS: &[&dyn Runner] = &[&Direct];

/// Finds a runner by the name that a job's record holds.
pub(crate) fn runner(name: &str) -> Result<&'static dyn Runner, Error> {
    RUNNERS
        .iter()
        .copied()
        .find(|runner| runner.name() == name)
        .ok_or_else(|| Error::RunnerUnknown {
            name: name.to_owned(),
            known: RUNNERS.iter().map(|runner| runner.name()).collect(),
        })
}

/// Returns the runner of a host without a scheduler.
pub(crate) fn default_runner() -> &'static dyn Runner {
    &Direct
}
