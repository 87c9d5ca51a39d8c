//! Launching: one agent for one order, whatever is killed and when.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{
    Error, briefing, command,
    job::{Job, Limits, Order, Progress},
    observe, records,
};
use crate::{
    contract::{Effect, JobId, Name, text},
    domain::{
        agent, host, issue, prompt,
        run::{self, State},
        workspace,
    },
    system::{Context, clock, digest, failpoint, files, machine::Machine, script::Script},
};

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The host; the default one where none is named.
    pub(crate) host: Option<Name>,
    /// The repository.
    pub(crate) repository: Name,
    /// The agent; the default one where none is named.
    pub(crate) agent: Option<Name>,
    /// The model.
    pub(crate) model: Option<String>,
    /// The issue: a reference or a file.
    pub(crate) issue: Option<String>,
    /// What to do, in words.
    pub(crate) message: Option<String>,
    /// The command that fails without a fix and passes with it.
    pub(crate) verify: Option<String>,
    /// Seconds the agent may run.
    pub(crate) max_wall_s: Option<u64>,
    /// Seconds the agent may be silent.
    pub(crate) max_idle_s: Option<u64>,
    /// Turns the agent may take.
    pub(crate) max_turns: Option<u32>,
    /// US dollars the agent may spend.
    pub(crate) max_cost_usd: Option<f64>,
    /// The key under which asking again finds the job.
    pub(crate) idempotency_key: Option<String>,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Launched {
    /// The job.
    pub(crate) job: Job,
    /// What this call did.
    pub(crate) effect: Effect,
    /// The prompt, where this call made one.
    pub(crate) prompt: Option<prompt::Prompt>,
    /// The agent's program and arguments, where this call made them.
    pub(crate) argv: Vec<String>,
}

/// Everything a request comes to once configuration and defaults are filled in.
///
/// Its canonical form is the identity of the job: the same again is the same job.
#[derive(Debug, Serialize)]
struct Identity<'a> {
    host: &'a Name,
    repository: &'a Name,
    base_commit: &'a str,
    agent: &'a Name,
    model: Option<&'a str>,
    issue: Option<String>,
    message: Option<&'a str>,
    verify: Option<&'a str>,
    limits: &'a Limits,
}

/// Launches an investigation, or finds the one that was launched before.
pub(crate) async fn launch(context: &Context, request: &Request) -> Result<Launched, Error> {
    let mut plan = Plan::make(context, request)?;
    if let Some(there) = plan.there(context)? {
        return Ok(replay(there));
    }
    let progress = context.progress(&format!(
        "launching {} on {}: reading what it is about",
        plan.job_id, plan.machine.name
    ));
    let prepared = plan.prepare(context, request).await?;
    if request.dry_run {
        return Ok(Launched {
            job: plan.job(),
            effect: Effect::None,
            prompt: Some(prepared.prompt),
            argv: shown(&prepared.argv),
        });
    }
    progress.say(&format!(
        "launching {} on {}: waiting for another launch of it to end",
        plan.job_id, plan.machine.name
    ));
    // One process of this machine at a time launches a given job; the others wait and find it launched.
    let locks = context.environment().home().join("locks");
    files::make_private_folder(&locks)?;
    let _lock = files::lock(&locks.join(plan.job_id.as_str())).await?;
    if let Some(there) = plan.there(context)? {
        return Ok(replay(there));
    }
    let job = records::insert(context, &plan.job())?;
    plan.job_id = job.job_id.clone();
    failpoint::reached("launch.recorded");
    progress.say(&format!(
        "launching {} on {}: making its worktree and starting {}",
        plan.job_id, plan.machine.name, plan.order.agent
    ));
    let launched = send(context, &plan, &prepared, job).await?;
    failpoint::reached("launch.saved");
    Ok(launched)
}

fn replay(job: Job) -> Launched {
    Launched {
        job,
        effect: Effect::Replayed,
        prompt: None,
        argv: Vec::new(),
    }
}

struct Plan {
    job_id: JobId,
    key: String,
    input_digest: String,
    order: Order,
    machine: Machine,
    agent: agent::Agent,
}

struct Prepared {
    prompt: prompt::Prompt,
    issue_text: String,
    repro: Option<(String, String)>,
    argv: Vec<String>,
    secrets: BTreeMap<String, String>,
    session_id: String,
}

impl Plan {
    /// Fills in configuration and defaults; looks at this machine only.
    fn make(context: &Context, request: &Request) -> Result<Self, Error> {
        if request.issue.is_none()
            && request
                .message
                .as_ref()
                .is_none_or(|text| text.trim().is_empty())
        {
            return Err(Error::NothingToDo);
        }
        let configuration = context.configuration()?;
        let machine = host::resolve(context, request.host.as_ref())?;
        let workspace = workspace::ready(context, &machine.name, &request.repository)?;
        let defaults = &configuration.defaults;
        let agent_name = request
            .agent
            .clone()
            .or_else(|| defaults.agent.clone())
            .unwrap_or_else(|| Name::fixed("claude"));
        let agent = agent::resolve(configuration, agent_name.as_str())?;
        let limits = Limits {
            max_wall_s: request.max_wall_s.unwrap_or_else(|| defaults.max_wall_s()),
            max_idle_s: request.max_idle_s.unwrap_or(0),
            max_turns: request
                .max_turns
                .or(defaults.max_turns.filter(|_| agent.options().max_turns)),
            max_cost_usd: request.max_cost_usd.or(defaults
                .max_cost_usd
                .filter(|_| agent.options().max_cost_usd)),
        };
        let model = request.model.clone().or_else(|| agent.model.clone());
        let verify = request.verify.clone().or_else(|| workspace.verify.clone());
        let reference = request
            .issue
            .as_deref()
            .map(|text| issue::identity(context, text))
            .transpose()?;
        let input_digest = digest::canonical(&Identity {
            host: &machine.name,
            repository: &request.repository,
            base_commit: &workspace.base_commit,
            agent: &agent_name,
            model: model.as_deref(),
            issue: reference.clone(),
            message: request.message.as_deref(),
            verify: verify.as_deref(),
            limits: &limits,
        });
        let key = request
            .idempotency_key
            .clone()
            .unwrap_or_else(|| input_digest.clone());
        // Names and titles are shown and sent around: no secret of this machine is in them.
        let redactor = context.redactor();
        let clean = |text: &str| redactor.text(text).into_owned();
        let topic = clean(&topic(request));
        let order = Order {
            host: machine.name.clone(),
            repository: request.repository.clone(),
            base_commit: workspace.base_commit.clone(),
            adapter: agent.adapter,
            agent: agent_name,
            model,
            issue: request.issue.as_deref().map(clean),
            title: text::line(&topic, 120),
            verify,
            limits,
            seed: workspace.seed.clone(),
            environment: workspace.environment.clone(),
            variables: workspace.variables.clone(),
        };
        Ok(Self {
            job_id: job_id(&request.repository, &text::strip(&topic), &key),
            key,
            input_digest,
            order,
            machine,
            agent,
        })
    }

    /// Finds the job where it was launched before; one that was recorded and perhaps never sent is not there yet.
    fn there(&self, context: &Context) -> Result<Option<Job>, Error> {
        let Some(job) = records::find_by_key(context, &self.key)? else {
            return Ok(None);
        };
        if job.input_digest != self.input_digest {
            return Err(Error::KeyReused {
                key: self.key.clone(),
                job_id: job.job_id,
            });
        }
        Ok((job.progress.line.is_some() || job.state.is_terminal()).then_some(job))
    }

    fn job(&self) -> Job {
        let now = clock::now_text();
        Job {
            job_id: self.job_id.clone(),
            idempotency_key: self.key.clone(),
            input_digest: self.input_digest.clone(),
            order: self.order.clone(),
            run: 1,
            state: State::Launching,
            outcome: None,
            progress: Progress::default(),
            verification: None,
            created_at: now.clone(),
            updated_at: now,
        }
    }

    /// Fetches the issue and makes everything that is sent.
    async fn prepare(&self, context: &Context, request: &Request) -> Result<Prepared, Error> {
        let issue = match &request.issue {
            Some(reference) => Some(issue::fetch(context, reference, 300).await?),
            None => None,
        };
        let (prompt, repro) = briefing::prompt(
            context,
            &self.job_id,
            &self.order,
            issue.as_ref(),
            request.message.as_deref(),
        )?;
        // An id that is the same for the same job lets an agent's own conversation be found again.
        let session_id = uuid_of(&digest::sha256(self.job_id.as_str().as_bytes()));
        let argv = self.agent.argv(&agent::Request {
            prompt_file: &format!("{}/prompt.md", command::JOB),
            model: self.order.model.as_deref(),
            max_turns: self.order.limits.max_turns,
            max_cost_usd: self.order.limits.max_cost_usd,
            worktree: command::WORKTREE,
            job: command::JOB,
            session_id: &session_id,
        })?;
        let mut secrets = BTreeMap::new();
        for (variable, source) in &self.agent.secrets {
            let value = context
                .environment()
                .get(source)
                .ok_or_else(|| Error::SecretMissing {
                    agent: self.order.agent.to_string(),
                    variable: source.clone(),
                })?;
            secrets.insert(variable.clone(), value.to_owned());
        }
        Ok(Prepared {
            issue_text: issue
                .as_ref()
                .map_or_else(String::new, |issue| briefing::markdown(context, issue)),
            prompt,
            repro,
            argv,
            secrets,
            session_id,
        })
    }

    /// Makes the program that launches: at most one round trip.
    fn script(&self, context: &Context, prepared: &Prepared) -> Result<Script, Error> {
        let supervisor = format!(
            "supervise-{}.sh",
            digest::sha256(run::SUPERVISOR.as_bytes())
        );
        let command = command::script(&command::Program {
            argv: &prepared.argv,
            workspace: &self.order.variables,
            agent: &self.agent.variables,
            path: &self.machine.path,
            environment: self.order.environment.as_deref(),
            seed: &self.order.seed,
        })?;
        let spec = run::Spec {
            job: self.job_id.clone(),
            run: 1,
            wall_s: self.order.limits.max_wall_s,
            idle_s: self.order.limits.max_idle_s,
            grace_s: 10,
            log_cap: 64 << 20,
            beat_s: 5,
            cwd: "/".to_owned(),
            changes: None,
        }
        .render()?;
        let mut record = json!({
            "v": 1,
            "job_id": self.job_id,
            "idempotency_key": self.key,
            "order": self.order,
            "session_id": prepared.session_id,
        });
        context.redactor().value(&mut record);
        let program = match prepared.argv.first() {
            Some(program) if !program.contains('\0') => program.clone(),
            // It is in the worktree, and shows once that is there.
            Some(_) | None => "sh".to_owned(),
        };
        let (repro_name, repro) = prepared.repro.clone().unwrap_or_default();
        let body = [
            workspace::worktree_script().as_str(),
            include_str!("launch.sh"),
            run::START,
        ]
        .join("\n");
        Ok(Script::new(body)
            .argument(self.job_id.as_str())
            .argument(digest::sha256(self.key.as_bytes()))
            .argument(&self.order.seed)
            .argument(&self.order.base_commit)
            .argument(supervisor)
            .argument(program)
            .argument(if prepared.secrets.is_empty() {
                "no"
            } else {
                "yes"
            })
            .argument(repro_name)
            .payload(run::SUPERVISOR)
            .payload(format!("{record}\n"))
            .payload(prepared.prompt.text.as_str())
            .payload(spec)
            .payload(command)
            .payload(command::exports(&prepared.secrets)?)
            .payload(prepared.issue_text.as_str())
            .payload(repro))
    }
}

async fn send(
    context: &Context,
    plan: &Plan,
    prepared: &Prepared,
    job: Job,
) -> Result<Launched, Error> {
    let script = plan.script(context, prepared)?;
    let host = plan.machine.name.to_string();
    context.meter().changing();
    let reply = plan.machine.run(context, script).await?;
    failpoint::reached("launch.sent");
    let answer = reply.text();
    let refused = answer
        .lines()
        .find_map(|line| line.strip_prefix("legwork-refused step="));
    if let Some(step) = refused {
        context.meter().settled(Effect::None);
        return Err(refusal(plan, step, &answer, reply.stderr));
    }
    let status = match run::parse_answer(&answer)? {
        Ok(status) => status,
        Err(_missing) => {
            return Err(Error::Launch {
                job_id: job.job_id,
                host,
                step: "supervisor".to_owned(),
                stderr: reply.stderr,
            });
        }
    };
    let job = records::update(context, &job.job_id, |job| {
        observe::note_status(job, &status, clock::now_text())
    })?;
    // A launch whose answer was lost has had its effect then, not now.
    let effect = if answer.lines().any(|line| line == "launch-found") {
        Effect::Replayed
    } else {
        Effect::Applied
    };
    context.meter().settled(effect);
    Ok(Launched {
        job,
        effect,
        prompt: None,
        argv: shown(&prepared.argv),
    })
}

fn refusal(plan: &Plan, step: &str, answer: &str, stderr: String) -> Error {
    let host = plan.machine.name.to_string();
    match step {
        "agent" => Error::AgentMissing {
            agent: plan.order.agent.to_string(),
            program: plan.agent.program.clone(),
            host,
        },
        "worktree" => match workspace::worktree_failure(&plan.machine.name, answer) {
            Some(error) => Error::Workspace(error),
            None => Error::Launch {
                job_id: plan.job_id.clone(),
                host,
                step: step.to_owned(),
                stderr,
            },
        },
        "workspace" => Error::Workspace(workspace::Error::NotFound {
            host: plan.machine.name.clone(),
            repository: plan.order.repository.clone(),
        }),
        "key" => Error::KeyReused {
            key: plan.key.clone(),
            job_id: plan.job_id.clone(),
        },
        other => Error::Launch {
            job_id: plan.job_id.clone(),
            host,
            step: other.to_owned(),
            stderr,
        },
    }
}

/// Returns arguments as they are shown, with `{job}` and `{worktree}` for the folders.
fn shown(argv: &[String]) -> Vec<String> {
    argv.iter().map(|word| word.replace('\0', "")).collect()
}

/// Says in a line what a job is about, from the request alone.
fn topic(request: &Request) -> String {
    let text = request
        .issue
        .as_deref()
        .or(request.message.as_deref())
        .unwrap_or_default();
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().to_owned()
}

/// Makes a job id that says what it is of and is the same for the same key.
fn job_id(repository: &Name, topic: &str, key: &str) -> JobId {
    let slug = |text: &str, most: usize| -> String {
        let mut slug = String::new();
        for character in text.chars() {
            if character.is_ascii_alphanumeric() {
                slug.push(character.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() >= most {
                break;
            }
        }
        slug.trim_matches('-').to_owned()
    };
    let tail = topic.rsplit('/').next().unwrap_or(topic);
    let parts = [
        slug(repository.as_str(), 20),
        slug(tail, 24),
        digest::sha256(key.as_bytes())[..12].to_owned(),
    ];
    let id = parts
        .iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("-");
    JobId::fixed(&id)
}

/// Shapes a digest as a UUID of version 8, which is for ids of one's own making.
fn uuid_of(digest: &str) -> String {
    format!(
        "{}-{}-8{}-8{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    )
}

/// Groups jobs by their host, to ask each host once.
pub(super) fn by_host(jobs: Vec<Job>) -> BTreeMap<Name, Vec<Job>> {
    let mut groups: BTreeMap<Name, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        groups.entry(job.order.host.clone()).or_default().push(job);
    }
    groups
}
