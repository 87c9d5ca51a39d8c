//! Playing the scenarios to a harness.

use std::{ffi::OsString, io, path::Path, time::Duration};

use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Error, Scenario,
    call::{Call, ObservedCall, milliseconds},
    finding::{Fault, Finding},
    judge::Evidence,
    limits::{KILL_AFTER_S, TIMEOUT_S},
    script::Script,
};
use crate::system::{
    Context, files,
    reaper::{self, Finished},
    stub,
    temporary::Scratch,
};

/// How many scenarios are played at the same time.
const AT_ONCE: usize = 8;

/// How many bytes of a harness's stdout are kept: more than any answer takes.
const STDOUT_BYTES: usize = 8 << 20;

/// How many bytes of its stderr are kept.
const STDERR_BYTES: usize = 16 << 10;

/// How many characters of its stderr are shown.
const SHOWN: usize = 2000;

/// What is to be checked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The harness, as a shell command.
    pub(crate) command: String,
    /// The scenarios to play, in any order.
    pub(crate) scenarios: Vec<Scenario>,
    /// Seconds each of them may take.
    pub(crate) limit_s: u64,
    /// Whether nothing is to be played.
    pub(crate) dry_run: bool,
}

/// What is found of a harness, or of it in one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It keeps the contract.
    Passed,
    /// It does not.
    Failed,
    /// Nothing was played: in a dry run, or after a first scenario in which the harness never called legwork.
    NotPlayed,
}

/// How a harness did in one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Played {
    /// The scenario.
    pub(crate) scenario: Scenario,
    /// What is found.
    pub(crate) verdict: Verdict,
    /// What it did wrong: the first thing, for what comes after follows from it.
    pub(crate) findings: Vec<Finding>,
    /// The calls that it made, in the order of time.
    pub(crate) calls: Vec<ObservedCall>,
    /// How it ended; null where nothing was played.
    pub(crate) harness: Option<Harness>,
}

/// How a harness ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Harness {
    /// Its exit code; null where a signal ended it.
    pub(crate) exit_code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Whether it was ended because `limit_s` was over.
    pub(crate) stopped: bool,
    /// Milliseconds it took.
    pub(crate) duration_ms: u64,
    /// The end of its stderr, at most 2,000 characters; empty where it passed.
    pub(crate) stderr: String,
}

/// How a harness did.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Scenario by scenario, in their own order.
    pub(crate) played: Vec<Played>,
}

impl Report {
    /// Counts the scenarios of a verdict.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        let of = |played: &&Played| played.verdict == verdict;
        self.played.iter().filter(of).count()
    }

    /// Returns what is found of the harness as a whole.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.count(Verdict::Failed) > 0 {
            Verdict::Failed
        } else if self.count(Verdict::Passed) > 0 {
            Verdict::Passed
        } else {
            Verdict::NotPlayed
        }
    }
}

/// Plays scenarios to a harness, and judges it.
///
/// The first is played by itself: a harness that does not even call legwork is reported once.
pub(crate) async fn check(context: &Context, request: &Request) -> Result<Report, Error> {
    let mut chosen = Scenario::ALL
        .iter()
        .copied()
        .filter(|scenario| request.scenarios.is_empty() || request.scenarios.contains(scenario));
    if request.dry_run {
        return Ok(Report {
            played: chosen.map(Played::not_played).collect(),
        });
    }
    let scratch = Scratch::new().map_err(|source| Error::Stage {
        path: context
            .environment()
            .path(context.environment().get("TMPDIR").unwrap_or("/tmp")),
        source,
    })?;
    let stage = |source| Error::Stage {
        path: scratch.path().to_owned(),
        source,
    };
    let progress = context.progress("playing scenarios");
    let mut played = Vec::new();
    if let Some(first) = chosen.next() {
        let found = play(context, request, scratch.path(), first)
            .await
            .map_err(stage)?;
        let calls_at_all = found
            .findings
            .iter()
            .all(|finding| finding.fault != Fault::NotCalled);
        played.push(found);
        if !calls_at_all {
            played.extend(chosen.map(Played::not_played));
            return Ok(Report { played });
        }
    }
    let mut rest =
        stream::iter(chosen.map(|scenario| play(context, request, scratch.path(), scenario)))
            .buffer_unordered(AT_ONCE);
    while let Some(found) = rest.next().await {
        let found = found.map_err(stage)?;
        progress.say(&format!("played {}", found.scenario.name()));
        played.push(found);
    }
    drop(rest);
    played.sort_by_key(|played| {
        Scenario::ALL
            .iter()
            .position(|other| *other == played.scenario)
    });
    Ok(Report { played })
}

/// Fails where a harness did not pass.
pub(crate) fn require(report: &Report) -> Result<(), Error> {
    if report.verdict() != Verdict::Failed {
        return Ok(());
    }
    Err(Error::Nonconforming {
        passed: report.count(Verdict::Passed),
        failed: report.count(Verdict::Failed),
        findings: report
            .played
            .iter()
            .flat_map(|played| {
                let of = |finding: &Finding| (played.scenario, finding.clone());
                played.findings.iter().map(of)
            })
            .collect(),
    })
}

impl Played {
    const fn not_played(scenario: Scenario) -> Self {
        Self {
            scenario,
            verdict: Verdict::NotPlayed,
            findings: Vec::new(),
            calls: Vec::new(),
            harness: None,
        }
    }
}

/// Plays one scenario.
async fn play(
    context: &Context,
    request: &Request,
    stage: &Path,
    scenario: Scenario,
) -> io::Result<Played> {
    let script = Script::of(scenario);
    let folder = stage.join(scenario.name());
    let environment = context.environment();
    let program = environment
        .program()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "this program has no path"))?;
    files::make_scratch_folder(&folder)?;
    let stub = stub::set_up(&folder, program, &script.for_stub())?;
    let command = command(context, request, &folder, &stub, &script);
    let harness = reaper::run(environment, command).await?;
    // What happened while the harness was being killed is not its doing.
    let until = harness.exit.stopped;
    let calls: Vec<Call> = stub::records(&folder)?
        .into_iter()
        .filter_map(|record| Call::of(&record, until))
        .collect();
    let finding = Evidence {
        script: &script,
        calls: &calls,
        harness: &harness,
    }
    .judge();
    Ok(Played {
        scenario,
        verdict: if finding.is_none() {
            Verdict::Passed
        } else {
            Verdict::Failed
        },
        calls: observed(&script, &calls, &harness),
        harness: Some(Harness::of(&harness, finding.is_none())),
        findings: finding.into_iter().collect(),
    })
}

fn command(
    context: &Context,
    request: &Request,
    folder: &Path,
    stub: &Path,
    script: &Script,
) -> reaper::Command {
    let mut path = OsString::from(stub.parent().unwrap_or(folder));
    if let Some(others) = context.environment().get("PATH") {
        path.push(":");
        path.push(others);
    }
    let mut arguments = vec![
        "-c".to_owned(),
        format!("{} \"$@\"", request.command),
        "sh".to_owned(),
    ];
    if let Some(call) = script.calls.first() {
        arguments.extend([call.primitive.to_owned(), call.input.to_string()]);
    }
    reaper::Command {
        program: "sh".to_owned(),
        arguments,
        variables: vec![
            ("PATH".to_owned(), path),
            ("LEGWORK_BIN".to_owned(), stub.into()),
            ("LEGWORK_TIMEOUT_S".to_owned(), TIMEOUT_S.to_string().into()),
            (
                "LEGWORK_KILL_AFTER_S".to_owned(),
                KILL_AFTER_S.to_string().into(),
            ),
            // A harness that calls the real legwork all the same finds nothing there to change.
            ("LEGWORK_HOME".to_owned(), folder.join("state").into()),
            (
                "LEGWORK_CONFIG".to_owned(),
                folder.join("config.toml").into(),
            ),
        ],
        folder: folder.to_owned(),
        limit: Duration::from_secs(request.limit_s),
        stdout: STDOUT_BYTES,
        stderr: STDERR_BYTES,
    }
}

fn observed(script: &Script, calls: &[Call], harness: &Finished) -> Vec<ObservedCall> {
    let start = harness.exit.at.saturating_sub(harness.took);
    let before = std::iter::once(None).chain(calls.iter().map(Some));
    calls
        .iter()
        .zip(before)
        .map(|(call, before)| {
            let index = call.asked.as_ref().map_or(0, |(index, _)| *index);
            let expected = script.calls.get(index).map(|call| &call.input);
            call.observed(start, before, expected)
        })
        .take(SHOWN_CALLS)
        .collect()
}

/// How many calls are shown.
const SHOWN_CALLS: usize = 50;

impl Harness {
    fn of(harness: &Finished, passed: bool) -> Self {
        let text = String::from_utf8_lossy(&harness.stderr);
        let skipped = text.chars().count().saturating_sub(SHOWN);
        Self {
            exit_code: harness.exit.code,
            signal: harness.exit.signal,
            stopped: harness.exit.stopped.is_some(),
            duration_ms: milliseconds(harness.took),
            stderr: if passed {
                String::new()
            } else {
                text.chars().skip(skipped).collect()
            },
        }
    }
}
