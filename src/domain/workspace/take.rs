//! Doing one step of a workspace on its host.

use super::{
    CloneReason, Error, Step, StepState,
    environment::environment_script,
    error::{self, GitTask},
    record,
    state::{StepAnswer, StepEnd, StepMarker},
    work::Work,
};
use crate::{
    contract::Effect,
    domain::repository,
    system::{script::Script, script_failure::ScriptFailure, shell},
};

/// Seconds that a step may go on for on the host, however briefly the call waits for it.
const STEP_LIMIT_S: u64 = 4 * 3600;

/// The exit code of the step `resolve` where the ref does not exist.
const NO_SUCH_REF: i64 = 90;

/// A step that is to be done now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due<'a> {
    /// The step.
    pub(super) step: Step,
    /// The digest of what it is done for.
    pub(super) digest: &'a str,
    /// The commit that the steps before it resolved.
    pub(super) commit: Option<&'a str>,
    /// The digest that the mirror must have, where it is known.
    pub(super) mirror: Option<&'a str>,
    /// Whether this call has made the mirror.
    pub(super) just_cloned: bool,
    /// Whether it is to be done even where it is done already.
    pub(super) again: bool,
    /// The store that the last one was recorded with, without its project, below legwork's folder on the host.
    pub(super) known_store: Option<&'a str>,
    /// What the call has done before it.
    pub(super) effect: Effect,
    /// Whether the workspace was not known here before the call.
    pub(super) is_new: bool,
}

impl Work<'_> {
    /// Does one step on the host, or finds it done.
    pub(super) async fn take(&self, due: Due<'_>) -> Result<(StepState, StepMarker), Error> {
        let reply = self.machine.run(self.context, self.script(due)?).await?;
        let answer = StepAnswer::parse(&reply.text()).map_err(|error| {
            ScriptFailure::at(&self.machine.name, due.step.name(), &reply, error)
        })?;
        let state = match answer.end {
            StepEnd::Ran => StepState::Ran,
            StepEnd::Done => StepState::Done,
            StepEnd::Failed
            | StepEnd::Busy
            | StepEnd::Overtaken
            | StepEnd::Mismatch
            | StepEnd::Folder => {
                let left = left_behind(due, answer.end);
                self.context.meter().settled(left);
                let host = &self.machine.name;
                if due.is_new && left == Effect::Replayed {
                    // Nothing was made and nothing was known before, so nothing is known now.
                    record::forget(self.context, host, &self.specification, due.step).await?;
                } else {
                    record::note_failed(self.context, host, &self.specification, due.step).await?;
                }
                return Err(self.failure(due.step, answer));
            }
        };
        let marker = StepMarker {
            digest: due.digest.to_owned(),
            seconds: answer.seconds,
            commit: answer.commit,
            evidence: answer.evidence,
            notes: answer.notes,
            mirror: answer.mirror,
            store: answer.store,
        };
        Ok((state, marker))
    }

    fn script(&self, due: Due<'_>) -> Result<Script, Error> {
        let specification = &self.specification;
        let stands_on: Vec<String> = specification
            .stands_on(due.step, due.commit)
            .into_iter()
            .map(|(before, digest)| format!("{}={digest}", before.name()))
            .collect();
        let undoes: Vec<&str> = specification
            .undoes(due.step)
            .into_iter()
            .map(Step::name)
            .collect();
        let body = [
            repository::GIT,
            shell::PROCESS,
            &environment_script(None, &specification.variables()),
            include_str!("modules.sh"),
            include_str!("clone.sh"),
            include_str!("facts.sh"),
            include_str!("step.sh"),
        ]
        .join("\n");
        let (user, password) = self
            .repository
            .url
            .credential()
            .map_or(("", ""), |it| (it.user.as_str(), it.password.as_str()));
        Ok(Script::new(body)
            .argument(specification.repository.as_str())
            .argument(due.step.name())
            .argument(due.digest)
            .argument(self.request.limit.to_string())
            .argument(STEP_LIMIT_S.max(self.request.limit).to_string())
            .argument(if specification.has_environment() {
                "uv"
            } else {
                "-"
            })
            .argument(if due.again { "always" } else { "missing" })
            .argument(stands_on.join(" "))
            .argument(undoes.join(" "))
            .arguments(specification.arguments(due.step, due.just_cloned, due.mirror))
            .payload(serde_json::to_vec_pretty(specification).map_err(Error::Record)?)
            .payload(user)
            .payload(password)
            .payload(specification.packages())
            .payload(specification.sources())
            .payload(due.known_store.unwrap_or_default()))
    }

    fn failure(&self, step: Step, answer: StepAnswer) -> Error {
        let host = self.machine.name.clone();
        let folder = || {
            format!(
                "{}/repos/{}",
                self.machine.root, self.specification.repository
            )
        };
        if let Some(path) = answer.full {
            return Error::DiskFull {
                host,
                path,
                message: format!("{}{}", answer.evidence, answer.log),
            };
        }
        match answer.end {
            StepEnd::Busy | StepEnd::Overtaken => return Error::Busy { host },
            StepEnd::Mismatch => return self.mismatch(&answer.evidence),
            StepEnd::Folder if error::is_full(&answer.evidence) => {
                return Error::DiskFull {
                    host,
                    path: folder(),
                    message: answer.evidence,
                };
            }
            StepEnd::Folder => {
                return Error::Folder {
                    host,
                    path: folder(),
                    message: answer.evidence,
                };
            }
            StepEnd::Ran | StepEnd::Done | StepEnd::Failed => {}
        }
        if let Some(path) = answer.lock {
            return Error::Locked {
                host,
                path,
                task: GitTask::Fetch,
                message: answer.log,
            };
        }
        if error::is_full(&answer.log) {
            return Error::DiskFull {
                host,
                path: folder(),
                message: answer.log,
            };
        }
        match step {
            Step::Clone | Step::Resolve => self.git_failure(step, answer),
            Step::Environment | Step::Install | Step::Setup | Step::Prepare | Step::Smoke => {
                Error::Step {
                    host,
                    step: step.name(),
                    exit: answer.exit,
                    message: answer.log,
                    log: format!("{}/logs/{}.log", folder(), step.name()),
                }
            }
        }
    }

    fn git_failure(&self, step: Step, answer: StepAnswer) -> Error {
        let failure = repository::GitFailure::of(&answer.log);
        let no_such_ref =
            answer.exit == NO_SUCH_REF || failure == repository::GitFailure::NoSuchRef;
        if step == Step::Resolve && no_such_ref {
            return Error::Reference {
                repository: self.specification.repository.clone(),
                path: self.mirror(),
                reference: self.specification.reference.clone(),
                message: answer.log,
            };
        }
        Error::Clone {
            host: self.machine.name.clone(),
            url: self.specification.url.clone(),
            step: if step == Step::Clone {
                "clone"
            } else {
                "fetch"
            },
            reason: if failure == repository::GitFailure::Refused {
                CloneReason::Refused
            } else {
                CloneReason::Other
            },
            exit: answer.exit,
            message: answer.log,
        }
    }
}

/// Returns the effect of a call whose step ended so.
fn left_behind(due: Due<'_>, end: StepEnd) -> Effect {
    match (end, due.step) {
        (StepEnd::Failed, Step::Environment | Step::Install | Step::Setup | Step::Prepare) => {
            Effect::Partial
        }
        _ => due.effect,
    }
}
