//! The stages of the demonstration, one after the other.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::{
    contract::{Code, Coded as _, Effect, JobId, Name},
    domain::{
        agent,
        artifact::{self, Folder},
        host,
        investigation::{self, ApplyRequest, Origin, VerifyRequest},
        job::{self, DiffSource, Job, Outcome},
        preflight, repository, verification, workspace,
    },
    system::{
        Context, clock, files, machine::Machine, progress::Progress, records::records,
        script::Script, shell,
    },
};

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The host; the default one where none is named.
    pub(crate) host: Option<Name>,
    /// The agent; Claude Code where it is installed and logged in, else the bundled script.
    pub(crate) agent: Option<Name>,
    /// The demonstration's name; another one starts anew.
    pub(crate) name: Name,
    /// Seconds the agent may run.
    pub(crate) max_wall_s: u64,
}

/// A stage that was completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stage {
    /// Its name.
    pub(crate) name: String,
    /// What came of it, in a line for a reader.
    pub(crate) message: String,
    /// Milliseconds it took.
    pub(crate) duration_ms: u64,
}

/// What came of the demonstration.
#[derive(Clone, Debug)]
pub(crate) struct Tour {
    /// The job.
    pub(crate) job: Job,
    /// Whether the bundled script was the agent.
    pub(crate) scripted: bool,
    /// The local checkout.
    pub(crate) checkout: String,
    /// The branch with the fix.
    pub(crate) branch: String,
    /// The commit on it.
    pub(crate) commit: String,
    /// The folder of the fetched artifacts.
    pub(crate) results: String,
    /// The agent's report.
    pub(crate) report: Option<String>,
    /// The stages.
    pub(crate) stages: Vec<Stage>,
    /// What it did: `applied`, or `replayed` where all of it was there.
    pub(crate) effect: Effect,
}

/// How many jobs of a demonstration may have lost their folders before it gives up making new ones.
const LOST_JOBS: u32 = 100;

/// Goes through the main job: a repository with a bug, a workspace, an agent, its evidence, its proof, a branch.
///
/// Where the job's folder is gone from the host, a new job takes its place.
pub(crate) async fn tour(context: &Context, request: &Request) -> Result<Tour, Error> {
    let machine = host::resolve(context, request.host.as_ref())?;
    let here = host::resolve(context, Some(&Name::fixed("local")))?;
    if let Some(agent) = &request.agent {
        agent::resolve(context.configuration()?, agent.as_str())?;
    }
    let mut guide = Guide {
        progress: context.progress("demonstration"),
        since: clock::instant(),
        stages: Vec::new(),
        effects: Vec::new(),
    };
    let origin = repository(context, &machine, &format!("{}-origin", request.name)).await?;
    let checkout = repository(context, &here, &format!("{}-checkout", request.name)).await?;
    guide.effects.extend([origin.effect, checkout.effect]);
    let checkout = checkout.path;
    guide.note(
        "repository",
        format!("a shell script that thinks 1900 was a leap year, in {checkout}"),
    );
    let agent = match &request.agent {
        Some(agent) => agent.clone(),
        None => choose(context, &machine).await?,
    };
    let scripted = agent.as_str() == agent::DEMO;
    guide.note(
        "agent",
        if scripted {
            "the bundled script, because no agent was named and no logged-in claude was found; no model is asked".to_owned()
        } else {
            agent.to_string()
        },
    );
    let repository = Name::fixed(&format!("demo-{}", request.name));
    let provisioned = provision(context, &machine, &repository, origin.path).await?;
    guide.effects.push(provisioned);
    guide.note("workspace", format!("ready on {}", machine.name));
    let launch = investigation::Request {
        host: Some(machine.name.clone()),
        agent: Some(agent),
        issue: Some(issue(context)?),
        verify: Some("sh tests/run.sh".to_owned()),
        max_wall_s: Some(request.max_wall_s),
        ..investigation::Request::new(repository)
    };
    let fetched = launch_until_fetched(context, &mut guide, launch).await?;
    let job = prove(context, &mut guide, fetched.job).await?;
    let origin = Origin::Job {
        job_id: job.job_id.clone(),
        source: DiffSource::Supervisor,
    };
    let apply = ApplyRequest::new(origin, checkout.clone());
    let applied = investigation::apply(context, &apply).await?.outcome;
    guide.effects.push(applied.effect);
    guide.note("apply", format!("branch {} in {checkout}", applied.branch));
    let report = files::read_regular(&fetched.folder.place("report.md"), 1 << 20)
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Tour {
        job,
        scripted,
        checkout,
        branch: applied.branch,
        commit: applied.commit,
        results: fetched.folder.path().display().to_string(),
        report,
        effect: guide.effect(),
        stages: guide.stages,
    })
}

async fn provision(
    context: &Context,
    machine: &Machine,
    name: &Name,
    url: String,
) -> Result<Effect, Error> {
    let request = workspace::Request {
        host: Some(machine.name.clone()),
        repository: repository::Spec {
            url: Some(url),
            ..repository::Spec::default()
        },
        python: None,
        packages: None,
        refresh: false,
        dry_run: false,
        limit: 300,
    };
    Ok(workspace::provision(context, name, request).await?.effect)
}

/// Writes the issue into the state folder, unless it is there already; returns its path.
fn issue(context: &Context) -> Result<String, Error> {
    let file = context.environment().home().join("demo-issue.md");
    let text: &[u8] = include_bytes!("issue.md");
    if files::read_regular(&file, 1 << 20).ok().as_deref() != Some(text) {
        files::write_whole(context.meter(), &file, text)?;
    }
    Ok(file.display().to_string())
}

/// A job that ended well, with its artifacts here.
struct Fetched {
    job: Job,
    folder: Folder,
}

/// Launches the job and brings its artifacts here; launches a new one where the folder of the job is gone.
async fn launch_until_fetched(
    context: &Context,
    guide: &mut Guide,
    mut launch: investigation::Request,
) -> Result<Fetched, Error> {
    for _ in 0..LOST_JOBS {
        let launched = investigation::launch(context, &launch).await?;
        guide.effects.push(launched.effect);
        let job_id = launched.job.job_id;
        match wait_and_fetch(context, guide, &job_id, launch.max_wall_s).await {
            // The next key is derived from the lost job, so that the next demonstration finds the new one.
            Err(error) if error.code() == Code::JobFolderMissing => {
                guide.note("launch", format!("{job_id} is gone from its host"));
                launch.idempotency_key = Some(format!("demonstration after {job_id}"));
            }
            fetched => return fetched,
        }
    }
    Err(Error::Lost {
        repository: launch.repository,
    })
}

async fn wait_and_fetch(
    context: &Context,
    guide: &mut Guide,
    job_id: &JobId,
    max_wall_s: Option<u64>,
) -> Result<Fetched, Error> {
    guide.note("launch", format!("{job_id} at work"));
    let observed = job::wait(context, job_id, max_wall_s.unwrap_or_default() + 120).await?;
    guide.note("wait", format!("ended: {}", observed.job.state));
    let fetched =
        investigation::fetch_artifacts(context, job_id, &[], artifact::MAX_BYTES, false).await?;
    let folder = fetched.artifacts.folder;
    guide.note(
        "fetch",
        format!("report, diff and logs in {}", folder.path().display()),
    );
    if !matches!(
        observed.job.outcome,
        Some(Outcome::Unverified | Outcome::Fixed)
    ) {
        return Err(not_fixed(&observed.job));
    }
    Ok(Fetched {
        job: observed.job,
        folder,
    })
}

async fn prove(context: &Context, guide: &mut Guide, job: Job) -> Result<Job, Error> {
    let request = VerifyRequest {
        settings: verification::Settings {
            limit_s: 60,
            ..verification::Settings::default()
        },
        ..VerifyRequest::default()
    };
    let proven = investigation::verify(context, &job.job_id, &request).await?;
    guide.effects.push(proven.effect);
    let job = proven.job.unwrap_or(job);
    if job.outcome != Some(Outcome::Fixed) {
        return Err(not_fixed(&job));
    }
    guide.note(
        "verify",
        "fixed: the test fails without the diff and passes with it".to_owned(),
    );
    Ok(job)
}

struct Guide {
    progress: Progress,
    since: std::time::Instant,
    stages: Vec<Stage>,
    effects: Vec<Effect>,
}

impl Guide {
    /// Returns the effect of all stages together.
    fn effect(&self) -> Effect {
        if self
            .effects
            .iter()
            .all(|effect| *effect == Effect::Replayed)
        {
            Effect::Replayed
        } else {
            Effect::Applied
        }
    }

    fn note(&mut self, name: &str, message: String) {
        self.progress.note(&format!("{name}: {message}"));
        self.progress.say(&format!("demonstration, after {name}"));
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since = clock::instant();
        self.stages.push(Stage {
            name: name.to_owned(),
            message,
            duration_ms: ms,
        });
    }
}

fn not_fixed(job: &Job) -> Error {
    Error::NotFixed {
        job_id: job.job_id.to_string(),
        outcome: job
            .outcome
            .map_or_else(|| job.state.name(), Outcome::name)
            .to_owned(),
        why: job
            .progress
            .summary
            .as_ref()
            .map(|summary| summary.why.clone())
            .unwrap_or_default(),
    }
}

/// The small repository on a machine.
struct Repository {
    path: String,
    effect: Effect,
}

/// Makes the small repository on a machine, or finds it there.
async fn repository(context: &Context, machine: &Machine, name: &str) -> Result<Repository, Error> {
    let script = Script::new([shell::FORGET_GIT, include_str!("repository.sh")].join("\n"))
        .argument(name)
        .payload(include_str!("calendar.sh"))
        .payload(include_str!("test.sh"));
    context.meter().changing();
    let reply = match machine.run(context, script).await {
        Ok(reply) => reply,
        Err(error) => {
            if error.is_before_sending() {
                context.meter().settled(Effect::None);
            }
            return Err(error.into());
        }
    };
    let answer = reply.text();
    let made = records(&answer)
        .find(|record| record.tag() == "repository")
        .and_then(|record| record.is("is_new").ok().zip(record.decoded("path").ok()));
    let Some((is_new, path)) = made else {
        return Err(Error::Repository {
            host: machine.name.to_string(),
            status: reply.status,
            stderr: reply.stderr,
        });
    };
    let effect = if is_new {
        Effect::Applied
    } else {
        Effect::Replayed
    };
    context.meter().settled(effect);
    Ok(Repository { path, effect })
}

/// Takes Claude Code where a launch with it would work, else the bundled script.
async fn choose(context: &Context, machine: &Machine) -> Result<Name, Error> {
    let configuration = context.configuration()?;
    let claude = Name::fixed("claude");
    let Ok(agent) = agent::resolve(configuration, claude.as_str()) else {
        return Ok(Name::fixed(agent::DEMO));
    };
    let max_age = Duration::from_secs(3600);
    let findings = preflight::preflight(context, machine, &agent, None, max_age).await?;
    Ok(if findings.agent_works() {
        claude
    } else {
        Name::fixed(agent::DEMO)
    })
}
