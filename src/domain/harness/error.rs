//! What can go wrong while a harness is checked.

use std::{io, path::PathBuf};

use super::{Scenario, finding::Finding};
use crate::contract::{
    Code, Coded,
    details::{self, Details, Nonconformance},
};

/// Why a harness cannot be checked, or does not pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The harness breaks the contract, and it was demanded that it does not.
    #[error("the harness fails {failed} of {} scenarios", passed + failed)]
    Nonconforming {
        /// How many scenarios it passed.
        passed: usize,
        /// How many it failed.
        failed: usize,
        /// What it did wrong.
        findings: Vec<(Scenario, Finding)>,
    },
    /// The stage cannot be set: a folder cannot be made, or a process cannot be started.
    #[error("cannot play in {}", path.display())]
    Stage {
        /// The folder.
        path: PathBuf,
        /// What the system reported.
        #[source]
        source: io::Error,
    },
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Nonconforming { .. } => Code::HarnessNonconforming,
            Self::Stage { .. } => Code::HarnessUncheckable,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Nonconforming { findings, .. } => findings.first().map_or_else(
                || "Call it without `require` to see what was played.".to_owned(),
                |(scenario, finding)| {
                    let name = scenario.name();
                    format!("Begin with {name}: {}.", finding.expected)
                },
            ),
            Self::Stage { path, .. } => format!(
                "Make {} a folder in which programs can be written and run, or set TMPDIR to another.",
                path.display()
            ),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Nonconforming {
                passed,
                failed,
                findings,
            } => details::Conformance::new(
                count(*passed),
                count(*failed),
                findings.iter().map(|(scenario, finding)| {
                    Nonconformance::new(
                        scenario.name(),
                        finding.fault.name(),
                        finding.rule.name(),
                        &finding.expected,
                        &finding.observed,
                    )
                }),
            )
            .into(),
            Self::Stage { path, source } => {
                details::File::new(path.display().to_string(), source.to_string()).into()
            }
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
