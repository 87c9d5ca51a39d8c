//! The stages of the demonstration, one after the other.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{
    contract::{Effect, Name},
    domain::{
        agent, host,
        investigation::{self, ApplyRequest, Maker, Origin, VerifyRequest},
        job::{self, Job, Outcome},
        preflight, repository, workspace,
    },
    system::{Context, clock, files, machine::Machine, progress::Progress, script::Script},
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

/// A stage that was gone through.
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

/// Goes through the main job: a repository with a bug, a workspace, an agent, its evidence, its proof, a branch.
#[expect(
    clippy::too_many_lines,
    reason = "the stages one after the other, as they are told"
)]
pub(crate) async fn tour(context: &Context, request: &Request) -> Result<Tour, Error> {
    let machine = host::resolve(context, request.host.as_ref())?;
    let here = host::resolve(context, Some(&Name::fixed("local")))?;
    let mut guide = Guide {
        progress: context.progress("demonstration"),
        since: clock::instant(),
        stages: Vec::new(),
    };
    let origin = format!("{}-origin", request.name);
    let (_, url) = repository(context, &machine, &origin).await?;
    let (_, checkout) = repository(context, &here, &format!("{}-checkout", request.name)).await?;
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

    let repository_name = Name::fixed(&format!("demo-{}", request.name));
    let wish = workspace::Wish {
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
    let provisioned = workspace::provision(context, &repository_name, wish).await?;
    guide.note("workspace", format!("ready on {}", machine.name));

    let issue = context.environment().home().join("demo-issue.md");
    files::write_whole(context.meter(), &issue, include_bytes!("issue.md"))?;
    let launched = investigation::launch(
        context,
        &investigation::Request {
            host: Some(machine.name.clone()),
            agent: Some(agent),
            issue: Some(issue.display().to_string()),
            verify: Some("sh tests/run.sh".to_owned()),
            max_wall_s: Some(request.max_wall_s),
            ..investigation::Request::new(repository_name)
        },
    )
    .await?;
    let job_id = launched.job.job_id.clone();
    guide.note("launch", format!("{job_id} at work"));
    let observed = job::wait(context, &job_id, request.max_wall_s + 120).await?;
    guide.note("wait", format!("ended: {}", observed.job.state));
    let (_, fetched) =
        investigation::fetch_artifacts(context, &job_id, &[], 64 << 20, false).await?;
    let results = fetched.folder.path().display().to_string();
    guide.note("fetch", format!("report, diff and logs in {results}"));
    if !matches!(
        observed.job.outcome,
        Some(Outcome::Unverified | Outcome::Fixed)
    ) {
        return Err(not_fixed(&observed.job));
    }
    let (_, job, _) = investigation::verify(
        context,
        &job_id,
        &VerifyRequest {
            check: None,
            limit_s: 60,
            attempt: 1,
            dry_run: false,
        },
    )
    .await?;
    if job.outcome != Some(Outcome::Fixed) {
        return Err(not_fixed(&job));
    }
    guide.note(
        "verify",
        "fixed: the test fails without the diff and passes with it".to_owned(),
    );
    let applied = investigation::apply(
        context,
        &ApplyRequest {
            origin: Origin::Job {
                job_id: job_id.clone(),
                maker: Maker::Supervisor,
            },
            checkout: checkout.clone(),
            branch: None,
            onto: None,
            three_way: false,
            message: None,
            author: None,
            allow: Vec::new(),
            allow_dirty: false,
            dry_run: false,
        },
    )
    .await?
    .outcome;
    guide.note("apply", format!("branch {} in {checkout}", applied.branch));
    let report = files::read_regular(&fetched.folder.place("report.md"), 1 << 20)
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let all_there = [provisioned.effect, launched.effect, applied.effect]
        .iter()
        .all(|effect| *effect == Effect::Replayed);
    Ok(Tour {
        job,
        scripted,
        checkout,
        branch: applied.branch,
        commit: applied.commit,
        results,
        report,
        stages: guide.stages,
        effect: if all_there {
            Effect::Replayed
        } else {
            Effect::Applied
        },
    })
}

struct Guide {
    progress: Progress,
    since: std::time::Instant,
    stages: Vec<Stage>,
}

impl Guide {
    fn note(&mut self, name: &str, said: String) {
        self.progress.note(&format!("{name}: {said}"));
        self.progress.say(&format!("demonstration, after {name}"));
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since = clock::instant();
        self.stages.push(Stage {
            name: name.to_owned(),
            message: said,
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

/// Makes the small repository on a machine; returns its commit and its path there.
async fn repository(
    context: &Context,
    machine: &Machine,
    name: &str,
) -> Result<(String, String), Error> {
    let script = Script::new(include_str!("repository.sh"))
        .argument(name)
        .payload(include_str!("calendar.sh"))
        .payload(include_str!("test.sh"));
    let reply = machine.run(context, script).await?;
    let answer = reply.text();
    answer
        .lines()
        .find_map(|line| line.strip_prefix("legwork-repository "))
        .and_then(|line| line.split_once(' '))
        .map(|(commit, path)| (commit.to_owned(), path.to_owned()))
        .ok_or_else(|| Error::Repository {
            host: machine.name.to_string(),
            status: reply.status,
            stderr: reply.stderr,
        })
}

/// Takes Claude Code where a launch with it would work, else the bundled script.
async fn choose(context: &Context, machine: &Machine) -> Result<Name, Error> {
    let configuration = context.configuration().map_err(host::Error::from)?;
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
