//! Verifying the diff of a job, or one in a file: which bytes are judged, by whose checks, and where.
//!
//! A check is code that will be run. One that whoever called gave, at the launch or now, is run; one that is configured
//! here too. What an issue's author or the agent wrote is run only where the call names it.

use serde_json::{Value, json};

use super::{error::Error, held_out, job_diff};
use crate::{
    contract::{Effect, JobId, Name},
    domain::{
        host,
        job::{self, Author, DiffSource, Job, Purpose, Verified},
        patch, run,
        verification::{self, CheckSpec, Place, Plan, Settings, Subject},
        workspace,
    },
    system::{Context, files},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Code that judges a fix and that neither whoever calls nor the configuration wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Repro {
    /// The code of the issue, as it was when the job was launched: a stranger wrote it.
    Issue,
    /// The file `repro.py`, `repro.sh` or `repro.js` that the agent left: the judged wrote it.
    Agent,
}

/// How a diff is to be verified.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// Which diff of the job.
    pub(crate) which: DiffSource,
    /// Code to judge it by in place of the job's own check.
    pub(crate) repro: Option<Repro>,
    /// The check and what else has to hold, in place of the job's own.
    pub(crate) given: Option<Given>,
    /// The host to judge it on; the job's own where none is named.
    pub(crate) on: Option<Name>,
    /// A folder of files that only the verification gets.
    pub(crate) tests_from: Option<String>,
    /// How often and how thoroughly.
    pub(crate) settings: Settings,
    /// Whether only to report what would be done.
    pub(crate) dry_run: bool,
}

/// Checks that whoever calls gives.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The command that fails without the fix and passes with it.
    pub(crate) check: String,
    /// Commands under which what passes before must pass with the fix.
    pub(crate) regression: Vec<String>,
}

impl Given {
    fn checks(&self) -> Vec<CheckSpec> {
        let fix = check(Purpose::Fix, &self.check, Author::Caller);
        let regression = self.regression.iter();
        std::iter::once(fix)
            .chain(regression.map(|command| check(Purpose::Regression, command, Author::Caller)))
            .collect()
    }
}

/// What came of a verification.
#[derive(Clone, Debug)]
pub(crate) struct Proved {
    /// The job, where the diff is one's, with the outcome that the evidence gives it.
    pub(crate) job: Option<Job>,
    /// The checks.
    pub(crate) checks: Vec<CheckSpec>,
    /// The verification; none in a dry run.
    pub(crate) verified: Option<Verified>,
    /// What this call did.
    pub(crate) effect: Effect,
}

/// Finds out whether a diff of a job fixes what it is to fix, and gives the job its outcome.
pub(crate) async fn verify(
    context: &Context,
    job_id: &JobId,
    request: &Request,
) -> Result<Proved, Error> {
    let job = job::ended(context, job::find(context, job_id)?).await?;
    if request.which == DiffSource::Supervisor && job.progress.diff_bytes == Some(0) {
        return Err(Error::NoDiff { job_id: job.job_id });
    }
    let checks = checks(context, &job, request).await?;
    let mut settings = request.settings.clone();
    settings.held_out = held_out::read(context, request.tests_from.as_deref())?;
    if request.dry_run {
        return Ok(planned(Some(job), checks));
    }
    let diff = job_diff::get(context, &job, request.which).await?;
    let place = match &request.on {
        Some(host) if *host != job.spec.host => at(context, Some(host), &job.spec.repository)?,
        Some(_) | None => of_job(context, &job)?,
    };
    let subject = Subject {
        diff,
        which: Some(request.which),
        repository: job.spec.repository.clone(),
        base_commit: job.spec.base_commit.clone(),
        on_other_host: place.machine.name != job.spec.host,
        place,
    };
    let plan = Plan::make(&subject, checks.clone(), settings)?;
    let done = verification::verify(context, &subject, &plan).await?;
    let mut is_new = false;
    let job = job::update(context, job_id, |job| {
        let events = record(job, &done.verified);
        is_new = !events.is_empty();
        events
    })
    .await?;
    // Where these bytes were judged for another job nothing is run anew, and this job gets its outcome now.
    let effect = if done.is_old && is_new {
        Effect::Applied
    } else {
        done.effect
    };
    context.meter().settled(effect);
    Ok(Proved {
        job: Some(job),
        checks,
        verified: Some(done.verified),
        effect,
    })
}

/// A diff in a file, and where it belongs.
#[derive(Clone, Debug)]
pub(crate) struct FileDiff {
    /// The file.
    pub(crate) path: String,
    /// The repository.
    pub(crate) repository: Name,
    /// The commit it was made on; the one of the workspace where none is given.
    pub(crate) base: Option<String>,
}

/// Finds out whether a diff in a file fixes what a check shows.
pub(crate) async fn verify_file(
    context: &Context,
    file: &FileDiff,
    given: &Given,
    request: &Request,
) -> Result<Proved, Error> {
    let place = workspace_of(context, request.on.as_ref(), &file.repository)?;
    let checks = given.checks();
    let mut settings = request.settings.clone();
    settings.held_out = held_out::read(context, request.tests_from.as_deref())?;
    let limit = u64::try_from(patch::MAX_BYTES).unwrap_or(u64::MAX);
    let diff =
        files::read_regular(&context.environment().path(&file.path), limit).map_err(|error| {
            patch::Error::File {
                path: file.path.clone(),
                reason: error.to_string(),
            }
        })?;
    let subject = Subject {
        diff,
        which: None,
        repository: file.repository.clone(),
        base_commit: file.base.clone().unwrap_or(place.0),
        place: place.1,
        on_other_host: false,
    };
    let plan = Plan::make(&subject, checks.clone(), settings)?;
    if request.dry_run {
        return Ok(planned(None, checks));
    }
    let done = verification::verify(context, &subject, &plan).await?;
    Ok(Proved {
        job: None,
        checks,
        verified: Some(done.verified),
        effect: done.effect,
    })
}

fn planned(job: Option<Job>, checks: Vec<CheckSpec>) -> Proved {
    Proved {
        job,
        checks,
        verified: None,
        effect: Effect::None,
    }
}

/// Returns the workspace in which the agent worked.
fn of_job(context: &Context, job: &Job) -> Result<Place, Error> {
    Ok(Place {
        machine: host::resolve(context, Some(&job.spec.host))?,
        runner: run::runner(&job.runner)?,
        seed: job.spec.seed.clone(),
        environment: job.spec.environment.clone(),
        prepare: job.spec.prepare.clone(),
        variables: job.spec.variables.clone(),
    })
}

/// Returns a ready workspace of a repository.
fn at(context: &Context, host: Option<&Name>, repository: &Name) -> Result<Place, Error> {
    workspace_of(context, host, repository).map(|(_, place)| place)
}

/// Returns a ready workspace of a repository with the commit that its jobs start from.
fn workspace_of(
    context: &Context,
    host: Option<&Name>,
    repository: &Name,
) -> Result<(String, Place), Error> {
    let machine = host::resolve(context, host)?;
    let workspace = workspace::ready(context, &machine.name, repository)?;
    let place = Place {
        machine,
        runner: run::default_runner(),
        seed: workspace.seed,
        environment: workspace.environment,
        prepare: workspace.prepare,
        variables: workspace.variables,
    };
    Ok((workspace.base_commit, place))
}

/// Chooses the checks of a job.
async fn checks(context: &Context, job: &Job, request: &Request) -> Result<Vec<CheckSpec>, Error> {
    if let Some(given) = &request.given {
        return Ok(given.checks());
    }
    let nothing = || Error::NothingToVerifyBy {
        job_id: job.job_id.clone(),
        state: job.state,
        has_issue_repro: job.spec.issue_repro.is_some(),
    };
    let fix = match request.repro {
        Some(Repro::Issue) => {
            let repro = job.spec.issue_repro.as_ref().ok_or_else(nothing)?;
            of_file(
                &repro.file,
                repro.code.clone().into_bytes(),
                Author::Stranger,
            )
        }
        Some(Repro::Agent) => {
            let (name, code) = job_diff::agents_repro(context, job)
                .await?
                .ok_or_else(nothing)?;
            of_file(&name, code, Author::Agent)
        }
        None => {
            let command = job.spec.verify.as_deref().ok_or_else(nothing)?;
            check(Purpose::Fix, command, job.spec.verify_author)
        }
    };
    let regression = job.spec.regression.iter();
    Ok(std::iter::once(fix)
        .chain(regression.map(|command| check(Purpose::Regression, command, Author::Caller)))
        .collect())
}

fn check(purpose: Purpose, command: &str, author: Author) -> CheckSpec {
    CheckSpec {
        purpose,
        command: command.to_owned(),
        author,
        file: None,
    }
}

/// Makes the check that runs a file, which finds the modules of the tree and none of the folder that it lies in.
fn of_file(name: &str, code: Vec<u8>, author: Author) -> CheckSpec {
    let text = String::from_utf8_lossy(&code);
    let command = match name.rsplit('.').next() {
        Some("py") => {
            format!(
                "PYTHONPATH=\"$PWD${{PYTHONPATH:+:$PYTHONPATH}}\" python3 \"$LEGWORK_CHECK/{name}\""
            )
        }
        // Read from standard input it resolves names below the tree, not below its own folder.
        Some("js") if text.lines().any(|line| line.starts_with("import ")) => {
            format!("node --input-type=module - <\"$LEGWORK_CHECK/{name}\"")
        }
        Some("js") => format!("node - <\"$LEGWORK_CHECK/{name}\""),
        Some(_) | None => format!("sh \"$LEGWORK_CHECK/{name}\""),
    };
    CheckSpec {
        file: Some((name.to_owned(), code)),
        ..check(Purpose::Fix, &command, author)
    }
}

/// Writes a verification into the record of its job, unless it was recorded before; returns the events to note.
fn record(job: &mut Job, verified: &Verified) -> Vec<(&'static str, Value)> {
    if job.verified.contains(&verified.verification) {
        return Vec::new();
    }
    job.verified.push(verified.verification.clone());
    job.add_verification(verified.clone());
    vec![(
        "verified",
        json!({
            "verdict": verified.verdict,
            "reason": verified.reason,
            "outcome": job.outcome,
            "diff_sha256": verified.diff_sha256,
        }),
    )]
}
