//! Making a workspace, or finding it made.

use super::{
    Error, Record, Specification, Step,
    environment::environment_script,
    offers::offers,
    record, specification,
    state::{State, StepMarker},
    take::Due,
    work::{Outcome, Report, Request, StepState, Work},
};
use crate::{
    contract::{Code, Coded as _, Effect, Name},
    domain::{host, profile, repository},
    system::{Context, failpoint, script::Script, script_failure::ScriptFailure, shell},
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
    if repository.prepare.is_some() {
        settings.prepare.clone_from(&repository.prepare);
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
            switches: repository.switches.clone(),
        },
        repository,
        machine,
        request,
    };
    work.refuse_fault()?;
    work.perform().await
}

impl Work<'_> {
    /// Refuses a profile that asks for what would be left out.
    fn refuse_fault(&self) -> Result<(), Error> {
        let specification = &self.specification;
        let Some((field, rule)) = specification.fault() else {
            return Ok(());
        };
        if field == "packages" && specification.packages.is_some() {
            return Err(repository::Error::Invalid {
                configuration: None,
                pointer: format!("/{field}"),
                rule,
            }
            .into());
        }
        Err(profile::Error::Invalid {
            file: self.context.environment().configuration_file(),
            pointer: format!("/profiles/{}/{field}", specification.profile),
            reason: rule.to_owned(),
        }
        .into())
    }

    async fn perform(self) -> Result<Outcome, Error> {
        let specification = &self.specification;
        let progress = self.context.progress(&format!(
            "provisioning {} on {}",
            specification.repository, self.machine.name
        ));
        let mut state = self.look().await?;
        self.refuse(&state)?;
        let mut resolved = self.resolved_before()?;
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
                    notes: None,
                });
                continue;
            }
            let digest = specification.digest(step, resolved.commit.as_deref());
            let again = self.request.refresh && step == Step::Resolve && !just_cloned
                || step == Step::Install && resolved.is_other(state.done.get(&step));
            let found = state
                .done
                .remove(&step)
                .filter(|mark| Some(&mark.digest) == digest.as_ref() && !again);
            let report = match (found, digest) {
                (Some(mark), _) => resolved.report(step, StepState::Done, mark),
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
                            commit: resolved.commit.as_deref(),
                            mirror: resolved.mirror.as_deref(),
                            known_store: resolved.recorded_outer(),
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
                    resolved.report(step, state_now, mark)
                }
                (None, _) => self.pending(step, &mut state),
            };
            reports.push(report);
        }
        let outcome = Outcome {
            host: self.machine.name.clone(),
            root: state.root,
            base_commit: resolved.commit,
            mirror: resolved.mirror,
            environment: resolved.store,
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

    /// Reports a step that a dry run does not take, and forgets those that it would undo.
    fn pending(&self, step: Step, state: &mut State) -> Report {
        for undone in self.specification.undoes(step) {
            state.done.remove(&undone);
        }
        Report {
            step,
            state: StepState::Pending,
            seconds: None,
            evidence: None,
            notes: None,
        }
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

    /// Returns what is known here of the mirror before anything is done.
    fn resolved_before(&self) -> Result<Resolved, Error> {
        let known = record::find(
            self.context,
            &self.machine.name,
            &self.specification.repository,
        );
        let record = match known {
            Ok(known) => known.and_then(|known| known.record),
            // This call makes the row anew.
            Err(error) if error.code() == Code::StoreDamaged => None,
            Err(error) => return Err(error),
        };
        Ok(Resolved {
            commit: None,
            store: None,
            recorded: record
                .as_ref()
                .and_then(|record| Some((record.environment.clone()?, record.base_commit.clone()))),
            mirror: record.and_then(|record| record.mirror),
        })
    }

    /// Asks what there is.
    async fn look(&self) -> Result<State, Error> {
        let body = [
            repository::GIT,
            shell::PROCESS,
            &environment_script(None, &self.specification.variables()),
            include_str!("modules.sh"),
            include_str!("facts.sh"),
            include_str!("state.sh"),
        ]
        .join("\n");
        let script = Script::new(body).argument(self.specification.repository.as_str());
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
        if let Some(found) = &state.mirror
            && *found != self.specification.url
        {
            return Err(self.mismatch(found));
        }
        if self.specification.switches.lfs && lacks("git-lfs") {
            return Err(Error::Tool {
                host: host.clone(),
                tool: "git-lfs",
            });
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
            path: self.mirror(),
            found: found.to_owned(),
            wanted: self.specification.url.clone(),
        }
    }

    pub(super) fn mirror(&self) -> String {
        let folder = specification::mirror(&self.specification.repository);
        format!("{}/{folder}", self.machine.root)
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
            mirror: outcome.mirror.clone(),
            environment: outcome.environment.clone(),
            variables: specification.settings.variables.clone(),
            prepare: specification.settings.prepare.clone(),
            offers: offers(specification, &outcome.reports),
            verify: None,
        };
        record::note_ready(self.context, specification, &record).await?;
        failpoint::reached("provision.recorded");
        Ok(())
    }
}

/// What the steps came to.
struct Resolved {
    /// The commit that jobs start from.
    commit: Option<String>,
    /// The digest of the mirror after the last fetch from here.
    mirror: Option<String>,
    /// The store that environments are made from.
    store: Option<String>,
    /// That store as it was recorded here before, and the commit it was recorded with.
    recorded: Option<(String, String)>,
}

impl Resolved {
    /// Returns the recorded store without its project, below legwork's folder on the host.
    fn recorded_outer(&self) -> Option<&str> {
        let (store, _commit) = self.recorded.as_ref()?;
        let (outer, _project) = store.rsplit_once('/')?;
        Some(outer)
    }

    /// Returns whether the host names another store for the same commit: whoever can write there can write both.
    fn is_other(&self, mark: Option<&StepMarker>) -> bool {
        let (Some(mark), Some((store, commit))) = (mark, &self.recorded) else {
            return false;
        };
        Some(commit) == self.commit.as_ref() && Some(store) != mark.store.as_ref()
    }

    /// Reports a step, and takes note of what it resolved.
    ///
    /// The host's word for the mirror's digest counts where the step was just done or nothing else is known: a mark that
    /// lies there may have been written by whoever changed the mirror.
    fn report(&mut self, step: Step, state: StepState, mark: StepMarker) -> Report {
        if step == Step::Resolve {
            self.commit = mark.commit;
            if state == StepState::Ran || self.mirror.is_none() {
                self.mirror = mark.mirror;
            }
        }
        if step == Step::Install {
            self.store = mark.store;
        }
        Report {
            step,
            state,
            seconds: Some(mark.seconds),
            evidence: (!mark.evidence.is_empty()).then_some(mark.evidence),
            notes: (!mark.notes.is_empty()).then_some(mark.notes),
        }
    }
}
