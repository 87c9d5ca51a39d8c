//! `check-harness`: whether a program that calls legwork keeps its side of the contract.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Scope, Scoped, Timeout},
    domain::harness::{self, Played, Scenario, Verdict},
    primitives::Primitive,
    system::Context,
};

/// Checks whether a harness, a program that calls legwork, keeps the contract of harnesses: it is run once for each
/// scenario, and a stub of legwork times out, fails, is killed, floods standard error, and writes down what was done
/// to it.
///
/// The harness is run as `<command> <primitive> <input>`, makes that call, retries as the answers say, prints the last
/// envelope, and exits with 0 where that says `ok`. It finds the stub as `legwork` in PATH, and its path in
/// `LEGWORK_BIN`; a call has `LEGWORK_TIMEOUT_S` seconds before SIGTERM, and `LEGWORK_KILL_AFTER_S` more before SIGKILL.
/// Whatever the harness starts is ended with its scenario. Nothing else is called, here or elsewhere; what the command
/// does beside is its own. Without `require` a harness that fails is an answer too.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The harness: a shell command, to which the name of a primitive and its input as JSON are added as two words. It
    /// runs in the folder of this call.
    #[schemars(length(min = 1, max = 65536))]
    pub(crate) command: String,
    /// The scenarios to play; all where none is named.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(crate) scenarios: Vec<Scenario>,
    /// Seconds the harness may take in one scenario. More for one that gives calls a time of its own.
    #[serde(default = "limit_s")]
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) limit_s: u64,
    /// What the verdict must be for this call to succeed: only `passed` passes.
    #[serde(default)]
    pub(crate) require: Option<Require>,
    /// Whether only to say what would be played.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<300, 86_400>,
}

/// What the verdict must be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Require {
    /// The harness passes every scenario that is played.
    Passed,
}

const fn limit_s() -> u64 {
    20
}

/// The verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// What is found of the harness.
    pub(crate) verdict: Verdict,
    /// How many scenarios it passed.
    pub(crate) passed: usize,
    /// How many it failed.
    pub(crate) failed: usize,
    /// Scenario by scenario.
    pub(crate) scenarios: Vec<Played>,
}

/// Carries the declaration of `check-harness`.
pub(crate) struct CheckHarness;

impl Primitive for CheckHarness {
    const NAME: &'static str = "check-harness";
    const SUMMARY: &'static str = "Check that a program that calls legwork does it well";
    const EFFECTS: Effects = Effects::RUNS;
    const CODES: &'static [Code] = &[Code::HarnessNonconforming, Code::HarnessUncheckable];
    const REACHES: &'static [(&'static str, Reach)] = &[("command", Reach::Command)];
    const SCOPES: &'static [Scoped] = &[Scope::RunCommand.always()];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            command: "python3 docs/integrations/call.py".to_owned(),
            scenarios: Vec::new(),
            limit_s: limit_s(),
            require: Some(Require::Passed),
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let request = harness::Request {
            command: input.command,
            scenarios: input.scenarios,
            limit_s: input.limit_s,
            dry_run: input.dry_run,
        };
        let report = harness::check(context, &request).await?;
        if let Some(Require::Passed) = input.require {
            harness::require(&report)?;
        }
        Ok(Answer::read(Output {
            verdict: report.verdict(),
            passed: report.count(Verdict::Passed),
            failed: report.count(Verdict::Failed),
            scenarios: report.played,
        }))
    }
}
