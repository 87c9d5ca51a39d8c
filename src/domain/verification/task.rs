//! Carrying a verification out: started once, found again by whoever asks for the same, and recorded once.

use super::{
    Error,
    judge::{self, Case, Tally, reason_of, result_of},
    program::{self, Repeats},
    records,
    request::{Plan, Subject, held_out},
    result::{self, Ran, Side, Written},
};
use crate::{
    contract::Effect,
    domain::{
        job::{Caveat, CaveatKind, CheckRun, Counts, RunResult, Trees, Verified},
        run::{self, Question, RunId, Started, Status, Token},
    },
    system::{
        Context, clock, failpoint, named_lock, quote::quote, records::records as lines,
        script::Script, script_failure::ScriptFailure, secrets::Redactor,
    },
};

/// Seconds of one look at a verification that is under way; a connection that dies meanwhile costs no more than this.
const LOOK_S: u64 = 60;

/// Bytes kept of the log of a verification; the output of the checks goes into its result.
const LOG_BYTES: u64 = 1 << 20;

/// The longest output of a check that is recorded, in characters.
const OUTPUT_CHARS: usize = 4000;

/// A verification that was made, now or before.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// What was found.
    pub(crate) verified: Verified,
    /// What this call did.
    pub(crate) effect: Effect,
    /// Whether it was made and recorded before this call began.
    pub(crate) is_old: bool,
}

/// Finds out whether a diff fixes what it is to fix.
///
/// The same verification asked for many times at once is one run and one verdict. One that an earlier call started is
/// found, and one that is recorded costs nothing.
pub(crate) async fn verify(
    context: &Context,
    subject: &Subject,
    plan: &Plan,
) -> Result<Done, Error> {
    if let Some(verified) = recorded(context, plan)? {
        return Ok(replayed(verified, true));
    }
    // One process of all who share the store at a time starts a verification of a series; the others wait and then find it started.
    let lock = named_lock::everywhere(context, &plan.series[..24]).await?;
    if let Some(verified) = recorded(context, plan)? {
        return Ok(replayed(verified, false));
    }
    let earlier = earlier(context, plan)?;
    context.meter().changing();
    let known = records::begin(context, &plan.name, &plan.series).await?;
    // The id is random and was recorded before anything is sent, so that it is the token of the run too.
    let token = match Token::new(known.subject.as_str().trim_start_matches("v-")) {
        Some(token) => token,
        None => Token::random()?,
    };
    let mut task = Task {
        context,
        subject,
        plan,
        run: RunId::of_verification(known.subject.clone(), token),
        key: known.key,
        earlier,
    };
    let (status, found) = task.start().await?;
    drop(lock);
    failpoint::reached("verify.started");
    let status = task.wait(status).await?;
    let verified = task.judged(&status).await?;
    let verified = records::conclude(context, &plan.name, &plan.series, &verified).await?;
    // A verification that an earlier call started had its effect then.
    let effect = if found {
        Effect::Replayed
    } else {
        Effect::Applied
    };
    context.meter().settled(effect);
    Ok(Done {
        verified,
        effect,
        is_old: false,
    })
}

fn recorded(context: &Context, plan: &Plan) -> Result<Option<Verified>, Error> {
    Ok(records::find(context, &plan.name)?.and_then(|known| known.found))
}

fn replayed(verified: Verified, is_old: bool) -> Done {
    Done {
        verified,
        effect: Effect::Replayed,
        is_old,
    }
}

/// Counts the runs of earlier verifications of the same series.
fn earlier(context: &Context, plan: &Plan) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    for verified in records::of_series(context, &plan.series)? {
        for run in verified.runs.iter().filter(|run| run.check == 0) {
            tally.count(run.tree, run.result);
        }
    }
    Ok(tally)
}

/// A verification to carry out.
struct Task<'a> {
    context: &'a Context,
    subject: &'a Subject,
    plan: &'a Plan,
    run: RunId,
    key: String,
    earlier: Tally,
}

impl Task<'_> {
    /// Starts the verification, or finds it started.
    async fn start(&mut self) -> Result<(Status, bool), Error> {
        let place = &self.subject.place;
        let made = Repeats {
            reds: self.earlier.red,
            greens: self.earlier.green,
        };
        let program = program::program(self.subject, self.plan, Repeats::of(self.plan, made));
        let start = run::Start {
            run: self.run.clone(),
            limits: run::Limits {
                wall_s: program.wall_s,
                idle_s: 0,
                grace_s: 5,
                log_bytes: LOG_BYTES,
            },
            command: program.script,
            stdin: String::new(),
            secrets: format!("v_key={}\n", quote(&self.key)),
            worktree: None,
            preparation: program::preparation(program.files),
        };
        let started = match place
            .runner
            .start(self.context, &place.machine, &start)
            .await
        {
            Ok(started) => started,
            Err(error) => {
                if error.is_before_sending() {
                    self.withdraw().await?;
                }
                return Err(error.into());
            }
        };
        match started {
            Started::Run {
                status,
                token,
                found,
            } => {
                self.run = self.run.clone().with_token(token);
                Ok((*status, found))
            }
            Started::Refused(refusal) => {
                self.withdraw().await?;
                Err(self.refusal(refusal))
            }
            Started::Silent(silent) => {
                let host = place.machine.name.to_string();
                Err(unwritten(&host, &silent).unwrap_or_else(|| Error::Silent {
                    host,
                    stderr: silent.stderr,
                }))
            }
        }
    }

    async fn withdraw(&self) -> Result<(), Error> {
        records::withdraw(self.context, &self.plan.name).await?;
        self.context.meter().settled(Effect::None);
        Ok(())
    }

    fn refusal(&self, refusal: run::Refusal) -> Error {
        let host = &self.subject.place.machine.name;
        unwritten(host.as_str(), &refusal).unwrap_or_else(|| {
            let failure = ScriptFailure {
                host: host.clone(),
                step: "verify",
                status: 0,
                stdout: refusal.stdout,
                stderr: refusal.stderr,
            };
            failure.into()
        })
    }

    /// Waits for the end of the run.
    async fn wait(&self, mut status: Status) -> Result<Status, Error> {
        let place = &self.subject.place;
        let heading = format!(
            "verifying {} on {}",
            &self.plan.diff_sha256[..12],
            place.machine.name
        );
        let progress = self.context.progress(&heading);
        while !status.state.is_terminal() {
            progress.say(&format!(
                "{heading}: the check without the fix and with it, by turns, is {}",
                status.state
            ));
            let questions = [Question {
                run: self.run.clone(),
                known: Some(status),
            }];
            let sightings = place
                .runner
                .poll(self.context, &place.machine, &questions, LOOK_S)
                .await?;
            let sighting = sightings.into_iter().next().unwrap_or_default();
            status = sighting.status.ok_or_else(|| Error::Silent {
                host: place.machine.name.to_string(),
                stderr: String::new(),
            })?;
        }
        Ok(status)
    }

    /// Reads the result and judges it.
    async fn judged(&self, status: &Status) -> Result<Verified, Error> {
        let machine = &self.subject.place.machine;
        let script = Script::new(include_str!("result.sh")).argument(self.run.subject_folder());
        let reply = machine.run(self.context, script).await?;
        if reply.status != 0 {
            return Err(ScriptFailure::of(&machine.name, "read the verification", &reply).into());
        }
        let text = reply.text();
        let commands: Vec<&str> = self
            .plan
            .checks
            .iter()
            .map(|check| check.command.as_str())
            .collect();
        let is_missing = lines(&text).any(|record| record.tag() == "missing");
        let written = match result::read(&text, &self.key, &commands) {
            Some(written) => written,
            None if is_missing => Written::default(),
            None => Written {
                stop: Some(("result_not_sealed".to_owned(), String::new())),
                ..Written::default()
            },
        };
        Ok(self.verified(&written, &format!("{}", status.state)))
    }

    fn verified(&self, written: &Written, state: &str) -> Verified {
        let (subject, plan) = (self.subject, self.plan);
        let redactor = self.context.redactor();
        let settings = &plan.settings;
        let held_out = held_out(&settings.held_out);
        let paths: Vec<String> = held_out.iter().map(|file| file.path.clone()).collect();
        let case = Case {
            checks: &plan.checks,
            examined: &plan.examined,
            files: &written.files,
            held_out: &paths,
            earlier: self.earlier,
        };
        let judged = judge::judge(&case, written, state);
        let tree = |name: &str| {
            let mut found = written.trees.iter();
            found.find(|(one, _)| one == name).map(|(_, id)| id.clone())
        };
        let tally = judged.tally;
        let clean = |text: &str| redactor.text(text).into_owned();
        let mut verified = Verified {
            verdict: judged.verdict,
            reason: judged.reason,
            diff_sha256: plan.diff_sha256.clone(),
            diff_bytes: subject.diff.len() as u64,
            which: subject.which,
            repository: subject.repository.to_string(),
            host: subject.place.machine.name.to_string(),
            on_other_host: subject.on_other_host,
            base_commit: subject.base_commit.clone(),
            trees: Trees {
                base: tree("base"),
                base_with_tests: tree("base_with_tests"),
                whole: tree("whole"),
                without_tests: tree("without_tests"),
            },
            environment_lock: subject.place.lock(),
            checks: plan
                .checks
                .iter()
                .map(|check| check.describe(&redactor))
                .collect(),
            held_out,
            tests: plan.examined.tests.clone(),
            counts: Counts::new(
                tally.red,
                tally.green,
                tally.false_green.saturating_add(tally.false_red),
            ),
            flips: judged.flips,
            regressions: judged.regressions,
            caveats: judged.caveats,
            unproven_hunks: settings.strict.then(|| self.unproven(written)),
            runs: runs(&written.runs, &redactor),
            // The version belongs to the verification: whoever attests it later may be another one.
            fingerprint: written
                .fingerprint
                .iter()
                .map(|line| clean(line))
                .chain([format!("legwork {}", env!("CARGO_PKG_VERSION"))])
                .collect(),
            message: written
                .stop
                .as_ref()
                .map(|(_, text)| clean(text))
                .filter(|text| !text.is_empty()),
            verification: self.run.subject().to_string(),
            at: clock::now_text(),
        };
        for flip in verified.flips.iter_mut().chain(&mut verified.regressions) {
            flip.test = clean(&flip.test);
        }
        for caveat in &mut verified.caveats {
            for about in &mut caveat.about {
                *about = clean(about);
            }
        }
        if verified
            .unproven_hunks
            .as_ref()
            .is_some_and(|hunks| !hunks.is_empty())
        {
            let hunks = verified.unproven_hunks.clone().unwrap_or_default();
            let caveat = Caveat::new(CaveatKind::UnprovenHunks, hunks);
            verified.caveats.push(caveat);
        }
        verified
    }

    /// Names the hunks without which the check stays green, or that cannot be taken away alone.
    fn unproven(&self, written: &Written) -> Vec<String> {
        let hunks = self.plan.hunks();
        // The hunks are the last inputs.
        let first = program::first_hunk(self.plan);
        hunks
            .iter()
            .enumerate()
            .filter(|(at, _)| {
                let input = first + at;
                let run = written
                    .runs
                    .iter()
                    .find(|run| run.side == Side::Without(input));
                run.is_none_or(|run| result_of(&run.read) == RunResult::Green)
            })
            .map(|(_, part)| part.name.clone())
            .collect()
    }
}

/// Makes the records of runs; outputs are kept of the first in each tree and of those that ended otherwise.
fn runs(runs: &[Ran], redactor: &Redactor) -> Vec<CheckRun> {
    let mut made: Vec<CheckRun> = Vec::new();
    for run in runs {
        let Side::Tree(tree) = run.side else { continue };
        let result = result_of(&run.read);
        let alike = |other: &&CheckRun| other.check as usize == run.check && other.tree == tree;
        let number = made.iter().filter(alike).count() + 1;
        let is_told = made
            .iter()
            .filter(alike)
            .any(|other| other.result == result);
        let count = |value: u64| run.read.runner.map(|_| value);
        made.push(CheckRun {
            check: u32::try_from(run.check).unwrap_or(u32::MAX),
            tree,
            number: u32::try_from(number).unwrap_or(u32::MAX),
            result,
            reason: reason_of(&run.read),
            exit_code: run.exit_code,
            duration_ms: run.duration_ms,
            runner: run.read.runner.map(|runner| runner.name().to_owned()),
            passed: count(run.read.passed),
            failed: count(run.read.failed.saturating_add(run.read.errors)),
            skipped: count(run.read.skipped),
            output_sha256: run.output_sha256.clone(),
            output: if is_told {
                String::new()
            } else {
                end_of(redactor, &run.output)
            },
        });
    }
    made
}

/// Returns the end of what a check printed.
fn end_of(redactor: &Redactor, printed: &str) -> String {
    let text = redactor.text(printed);
    let skipped = text.chars().count().saturating_sub(OUTPUT_CHARS);
    text.chars().skip(skipped).collect()
}

/// Makes the error of a file that could not be written, where the host says what was in the way.
fn unwritten(host: &str, refusal: &run::Refusal) -> Option<Error> {
    let unwritten = refusal.unwritten.as_ref()?;
    (unwritten.is_full || !unwritten.is_writable).then(|| Error::Unwritten {
        host: host.to_owned(),
        path: unwritten.path.clone(),
        is_full: unwritten.is_full,
        stderr: refusal.stderr.clone(),
    })
}
