//! Proof: the check fails without the diff and passes with it, in clean worktrees on the job's host.
//!
//! A verification is a supervised run like that of an agent, below the folder of its job: a lost connection costs
//! nothing, and the same call again finds it under way or done. Its name is a digest of everything that it depends on, so
//! that the same verification asked for many times at once is one run and one verdict.

use serde_json::{Value, json};

use super::{command, error::Error, unwritten, verification};
use crate::{
    contract::{Effect, JobId},
    domain::{
        host,
        job::{self, Job, Outcome, Verdict, Verified},
        run::{self, Absence, Question, RunId, Runner, Started, Status},
        workspace,
    },
    system::{
        Context, digest, failpoint,
        machine::Machine,
        named_lock,
        quote::quote,
        records::records,
        reply::Reply,
        script::{Script, path_assignment},
        script_failure::ScriptFailure,
        shell,
    },
};

/// Seconds of one look at a verification that is under way; a connection that dies meanwhile costs no more than this.
const LOOK_S: u64 = 60;

/// Bytes kept of the log of a verification; the output of the check itself has files of its own.
const LOG_BYTES: u64 = 1 << 20;

/// What is to be judged, and how.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The check; the job's own, or its repro, where none is given.
    pub(crate) check: Option<String>,
    /// Seconds each run of the check may take.
    pub(crate) limit_s: u64,
    /// Which try this is; another one makes the same check again.
    pub(crate) attempt: u32,
    /// Whether only to report what would be done.
    pub(crate) dry_run: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            check: None,
            limit_s: 600,
            attempt: 1,
            dry_run: false,
        }
    }
}

/// What came of a verification.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedJob {
    /// The job, with the outcome that the evidence gives it.
    pub(crate) job: Job,
    /// The verification; none in a dry run.
    pub(crate) verified: Option<Verified>,
    /// What this call did.
    pub(crate) effect: Effect,
}

impl VerifiedJob {
    fn recorded(job: &Job, name: &str) -> Option<Self> {
        let verified = job.verification.as_ref()?;
        (verified.verification == name).then(|| Self {
            verified: Some(verified.clone()),
            job: job.clone(),
            effect: Effect::Replayed,
        })
    }
}

/// Finds out whether the diff of a job fixes what it is to fix, and gives the job its outcome.
pub(crate) async fn verify(
    context: &Context,
    job_id: &JobId,
    request: &Request,
) -> Result<VerifiedJob, Error> {
    let job = job::ended(context, job::find(context, job_id)?).await?;
    if job.progress.diff_bytes == Some(0) {
        return Err(Error::NoDiff { job_id: job.job_id });
    }
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let check = match request.check.clone().or_else(|| job.spec.verify.clone()) {
        Some(check) => check,
        None => repro_check(context, &machine, &job).await?,
    };
    let name = name(&job, &check, request);
    if let Some(recorded) = VerifiedJob::recorded(&job, &name) {
        return Ok(recorded);
    }
    if request.dry_run {
        return Ok(VerifiedJob {
            job,
            verified: None,
            effect: Effect::None,
        });
    }
    let task = Task {
        machine,
        runner: run::runner(&job.runner)?,
        run: RunId::of_verification(job.job_id.clone(), JobId::fixed(&name)),
        job,
        check,
        limit_s: request.limit_s,
    };
    task.carry_out(context).await
}

/// Names a verification by everything that it depends on.
fn name(job: &Job, check: &str, request: &Request) -> String {
    let identity = (
        &job.job_id,
        job.run,
        check,
        request.limit_s,
        request.attempt,
    );
    format!("v-{}", &digest::canonical(&identity)[..12])
}

/// A verification to carry out.
struct Task {
    machine: Machine,
    runner: &'static dyn Runner,
    run: RunId,
    job: Job,
    check: String,
    limit_s: u64,
}

impl Task {
    fn name(&self) -> &str {
        self.run.subject().as_str()
    }

    async fn carry_out(self, context: &Context) -> Result<VerifiedJob, Error> {
        // One process of this machine at a time starts a given verification; the others wait and then find it started.
        let lock = named_lock::lock(context, self.name()).await?;
        let job = job::find(context, &self.job.job_id)?;
        if let Some(recorded) = VerifiedJob::recorded(&job, self.name()) {
            return Ok(recorded);
        }
        context.meter().changing();
        let (mut status, found) = self.start(context).await?;
        drop(lock);
        failpoint::reached("verify.started");
        let heading = format!("verifying {} on {}", self.job.job_id, self.machine.name);
        let progress = context.progress(&heading);
        while !status.state.is_terminal() {
            status = self.look(context, status).await?;
            progress.say(&format!(
                "{heading}: the check without the diff, then with it, is {}",
                status.state
            ));
        }
        drop(progress);
        let reply = self.read(context).await?;
        let verified = verification::judge(
            &context.redactor(),
            &reply.text(),
            &status,
            &self.check,
            self.name(),
        );
        let job = job::update(context, &self.job.job_id, |job| record(job, &verified)).await?;
        // A verification that an earlier call started had its effect then.
        let effect = if found {
            Effect::Replayed
        } else {
            Effect::Applied
        };
        context.meter().settled(effect);
        // Another call that waited for the same run may have recorded it first.
        let recorded = job
            .verification
            .clone()
            .filter(|recorded| recorded.verification == verified.verification);
        Ok(VerifiedJob {
            job,
            verified: Some(recorded.unwrap_or(verified)),
            effect,
        })
    }

    /// Starts the verification, or finds it started.
    async fn start(&self, context: &Context) -> Result<(Status, bool), Error> {
        let start = run::Start {
            run: self.run.clone(),
            limits: run::Limits {
                wall_s: self.limit_s * 2 + 120,
                idle_s: 0,
                grace_s: 5,
                log_bytes: LOG_BYTES,
            },
            command: self.program(),
            stdin: String::new(),
            secrets: String::new(),
            worktree: None,
            preparation: run::Preparation {
                script: include_str!("verification_folder.sh").to_owned(),
                arguments: Vec::new(),
                files: Vec::new(),
            },
        };
        let started = match self.runner.start(context, &self.machine, &start).await {
            Ok(started) => started,
            Err(error) => {
                if error.is_before_sending() {
                    context.meter().settled(Effect::None);
                }
                return Err(error.into());
            }
        };
        match started {
            Started::Run { status, found } => Ok((*status, found)),
            Started::Refused(refusal) => {
                context.meter().settled(Effect::None);
                Err(self.refusal(refusal))
            }
            Started::Silent(silent) => {
                let host = self.machine.name.to_string();
                Err(
                    unwritten::error(&host, &silent).unwrap_or_else(|| Error::VerificationSilent {
                        job_id: self.job.job_id.clone(),
                        host,
                        stderr: silent.stderr,
                    }),
                )
            }
        }
    }

    fn refusal(&self, refusal: run::Refusal) -> Error {
        if refusal.step == "job" {
            return self.folder_missing();
        }
        let host = &self.machine.name;
        unwritten::error(host.as_str(), &refusal).unwrap_or_else(|| {
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

    fn folder_missing(&self) -> Error {
        job::Error::folder_missing(&self.job).into()
    }

    /// Renders the program of the run: `verify.sh` with what it needs in front of it.
    fn program(&self) -> String {
        let spec = &self.job.spec;
        [
            command::prelude(spec.environment.as_deref(), &spec.seed),
            format!(
                "base={}\ndiff=$root/{}/changes.diff\nv_limit={}\ncheck={}\n",
                quote(&spec.base_commit),
                self.job.run_id().folder(),
                self.limit_s,
                quote(&self.check)
            ),
            "LEGWORK_ROOT=$root\n".to_owned(),
            format!(
                "legwork_environment() {{\n:\n{}{}}}\n",
                workspace::exports(&spec.variables),
                path_assignment(&[])
            ),
            shell::PROCESS.to_owned(),
            workspace::worktree_script(),
            "\nprepare_git\n".to_owned(),
            include_str!("verify.sh").to_owned(),
        ]
        .concat()
    }

    /// Waits for a change of the run, a while at most.
    async fn look(&self, context: &Context, known: Status) -> Result<Status, Error> {
        let questions = [Question {
            run: self.run.clone(),
            known: Some(known),
        }];
        let sightings = self
            .runner
            .poll(context, &self.machine, &questions, LOOK_S)
            .await?;
        let sighting = sightings.into_iter().next().unwrap_or_default();
        if sighting.absence == Some(Absence::Folder) {
            return Err(self.folder_missing());
        }
        sighting.status.ok_or_else(|| Error::VerificationSilent {
            job_id: self.job.job_id.clone(),
            host: self.machine.name.to_string(),
            stderr: String::new(),
        })
    }

    async fn read(&self, context: &Context) -> Result<Reply, Error> {
        let script =
            Script::new(include_str!("verification.sh")).argument(self.run.subject_folder());
        let reply = self.machine.run(context, script).await?;
        let is_missing = records(&reply.text()).any(|record| record.tag() == "missing");
        if is_missing {
            return Err(self.folder_missing());
        }
        if reply.status == 0 {
            return Ok(reply);
        }
        Err(ScriptFailure::of(&self.machine.name, "read the verification", &reply).into())
    }
}

/// Writes a verification into the record of its job, unless it was recorded before; returns the events to note.
fn record(job: &mut Job, verified: &Verified) -> Vec<(&'static str, Value)> {
    if job.verified.contains(&verified.verification) {
        return Vec::new();
    }
    let outcome = match verified.verdict {
        Verdict::Fixed => Outcome::Fixed,
        Verdict::NotReproduced => Outcome::NotReproduced,
        Verdict::NotFixed => Outcome::NotFixed,
        // What could not be judged says nothing about the job.
        Verdict::Inconclusive => job.outcome.unwrap_or(Outcome::Unverified),
    };
    job.outcome = Some(outcome);
    job.verification = Some(verified.clone());
    job.verified.push(verified.verification.clone());
    vec![(
        "verified",
        json!({"verdict": verified.verdict, "reason": verified.reason, "outcome": outcome}),
    )]
}

/// Finds the repro in the job's folder and makes the check that runs it.
async fn repro_check(context: &Context, machine: &Machine, job: &Job) -> Result<String, Error> {
    let script = Script::new(include_str!("repro.sh")).argument(job.run_id().subject_folder());
    let reply = machine.run(context, script).await?;
    let answer = reply.text();
    let mut name = None;
    for record in records(&answer) {
        match record.tag() {
            "missing" => return Err(job::Error::folder_missing(job).into()),
            "repro" => name = record.text("name").ok(),
            _ => record.ignored(),
        }
    }
    // The check runs in a worktree two folders below the job's own.
    match name {
        Some("repro.py") => Ok("python3 ../../../repro.py".to_owned()),
        Some("repro.sh") => Ok("sh ../../../repro.sh".to_owned()),
        Some("repro.js") => Ok("node ../../../repro.js".to_owned()),
        Some("-") => Err(Error::NothingToVerifyBy {
            job_id: job.job_id.clone(),
            state: job.state,
        }),
        Some(_) | None => Err(ScriptFailure::of(&machine.name, "find the repro", &reply).into()),
    }
}
