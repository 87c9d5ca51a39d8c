//! Making a workspace, or finding it made.

use super::{
    Error, Record, Specification, Step, record,
    state::{State, StepMarker},
    take::Due,
    work::{Outcome, Report, Request, StepState, Work},
};
use crate::{
    contract::{Effect, Name},
    domain::{host, profile, repository},
    system::{Context, failpoint, script::Script, script_failure::ScriptFailure},
};

/// Makes what is missing of a workspace, step by step; nothing where it is ready.
///
/// Asking what there is costs one round trip, and each missing step one more. A step goes on to its end on the host
/// even when contact is lost, and the same call again finds it done or waits for it.
pub(crate) async fn provision(
    context: &Context,
    name: &Name,
    request: Request,
) -> Result<Outcome, Error> {
    let machine = host::resolve(context, request.host.as_ref())?;
    let repository = repository::resolve(context, name, request.repository.clone())?;
    let mut settings = profile::resolve(context, &repository.profile)?.settings;
    if let Some(python) = request.python.clone() {
        settings.python = Some(python);
    }
    if let Some(packages) = request.packages.clone() {
        settings.packages = packages;
    }
    let work = Work {
        context,
        specification: Specification {
            repository: name.clone(),
            url: repository.url.as_str().to_owned(),
            reference: repository.reference.clone(),
            profile: repository.profile.clone(),
            python: request.python.clone(),
            packages: request.packages.clone(),
            settings,
        },
        repository,
        machine,
        request,
    };
    work.perform().await
}

impl Work<'_> {
    async fn perform(self) -> Result<Outcome, Error> {
        let specification = &self.specification;
        let progress = self.context.progress(&format!(
            "provisioning {} on {}",
            specification.repository, self.machine.name
        ));
        let mut state = self.look().await?;
        self.refuse(&state)?;
        let mut commit: Option<String> = None;
        let mut just_cloned = false;
        let mut effect = Effect::Replayed;
        let mut is_new = false;
        let mut reports = Vec::new();
        for step in Step::ALL {
            if !specification.needs(step) {
                reports.push(Report {
                    step,
                    state: StepState::Skipped,
                    seconds: None,
                    evidence: None,
                });
                continue;
            }
            let digest = specification.digest(step, commit.as_deref());
            let again = self.request.refresh && step == Step::Resolve && !just_cloned;
            let found = state
                .done
                .remove(&step)
                .filter(|mark| Some(&mark.digest) == digest.as_ref() && !again);
            let report = match (found, digest) {
                (Some(mark), _) => report(step, StepState::Done, mark, &mut commit),
                (None, Some(digest)) if !self.request.dry_run => {
                    is_new |= self.announce(step, effect).await?;
                    progress.say(&format!(
                        "provisioning {} on {}: step {}",
                        specification.repository,
                        self.machine.name,
                        step.name()
                    ));
                    let (state_now, mark) = self
                        .take(Due {
                            step,
                            digest: &digest,
                            commit: commit.as_deref(),
                            just_cloned,
                            again,
                            effect,
                            is_new,
                        })
                        .await?;
                    if state_now == StepState::Ran {
                        effect = Effect::Applied;
                        just_cloned |= step == Step::Clone;
                        for undone in specification.undoes(step) {
                            state.done.remove(&undone);
                        }
                    }
                    self.context.meter().settled(effect);
                    failpoint::reached(&format!("provision.{}", step.name()));
                    progress.note(&format!("{}: {}", step.name(), mark.evidence));
                    report(step, state_now, mark, &mut commit)
                }
                (None, _) => {
                    for undone in specification.undoes(step) {
                        state.done.remove(&undone);
                    }
                    Report {
                        step,
                        state: StepState::Pending,
                        seconds: None,
                        evidence: None,
                    }
                }
            };
            reports.push(report);
        }
        let outcome = Outcome {
            host: self.machine.name.clone(),
            root: state.root,
            base_commit: commit,
            reports,
            effect: if self.request.dry_run {
                Effect::None
            } else {
                effect
            },
            specification: self.specification.clone(),
        };
        if !self.request.dry_run {
            self.record(&outcome).await?;
        }
        Ok(outcome)
    }

    /// Announces that a step is about to be taken, and returns whether the workspace was not known here before.
    ///
    /// The first one marks the workspace incomplete, so that a crash leaves a record of it.
    async fn announce(&self, step: Step, effect: Effect) -> Result<bool, Error> {
        if effect != Effect::Replayed {
            self.context.meter().changing();
            return Ok(false);
        }
        let host = &self.machine.name;
        let is_new = record::note_begun(self.context, host, &self.specification, step).await?;
        failpoint::reached("provision.noted");
        Ok(is_new)
    }

    /// Asks what there is.
    async fn look(&self) -> Result<State, Error> {
        let body = [
            repository::GIT,
            include_str!("facts.sh"),
            include_str!("state.sh"),
        ]
        .join("\n");
        let script = Script::new(body)
            .argument(self.specification.repository.as_str())
            .argument(self.environment());
        let reply = self.machine.run(self.context, script).await?;
        let state = State::parse(&reply.text())
            .map_err(|error| ScriptFailure::at(&self.machine.name, "state", &reply, error))?;
        Ok(state)
    }

    /// Refuses what cannot go well before anything is touched.
    fn refuse(&self, state: &State) -> Result<(), Error> {
        let host = &self.machine.name;
        let lacks = |tool: &str| !state.tools.iter().any(|found| found == tool);
        if lacks("git") {
            return Err(Error::Tool {
                host: host.clone(),
                tool: "git",
            });
        }
        if let Some(found) = &state.seed
            && *found != self.specification.url
        {
            return Err(self.mismatch(found));
        }
        if self.specification.has_environment() && lacks("uv") {
            return Err(Error::Tool {
                host: host.clone(),
                tool: "uv",
            });
        }
        Ok(())
    }

    pub(super) fn mismatch(&self, found: &str) -> Error {
        Error::Mismatch {
            host: self.machine.name.clone(),
            path: self.seed(),
            found: found.to_owned(),
            wanted: self.specification.url.clone(),
        }
    }

    pub(super) fn seed(&self) -> String {
        format!("{}/{}", self.machine.root, self.specification.seed())
    }

    pub(super) fn environment(&self) -> String {
        self.specification
            .environment()
            .unwrap_or_else(|| "-".to_owned())
    }

    async fn record(&self, outcome: &Outcome) -> Result<(), Error> {
        let specification = &self.specification;
        let record = Record {
            host: self.machine.name.clone(),
            repository: specification.repository.clone(),
            url: specification.url.clone(),
            reference: specification.reference.clone(),
            base_commit: outcome.base_commit.clone().unwrap_or_default(),
            profile: specification.profile.clone(),
            root: outcome.root.clone(),
            seed: specification.seed(),
            environment: specification.environment(),
            variables: specification.settings.variables.clone(),
            verify: None,
        };
        record::note_ready(self.context, specification, &record).await?;
        failpoint::reached("provision.recorded");
        Ok(())
    }
}

fn report(step: Step, state: StepState, mark: StepMarker, commit: &mut Option<String>) -> Report {
    if step == Step::Resolve {
        *commit = mark.commit;
    }
    Report {
        step,
        state,
        seconds: Some(mark.seconds),
        evidence: (!mark.evidence.is_empty()).then_some(mark.evidence),
    }
}
