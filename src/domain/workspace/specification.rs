//! What a workspace is to be, and what each step needs and undoes for it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Step;
use crate::{
    contract::{
        Name,
        configuration::{Environment, Install, Profile},
    },
    system::digest,
};

/// What a workspace is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Specification {
    /// The repository's name.
    pub(crate) repository: Name,
    /// Where it is cloned from, without secrets.
    pub(crate) url: String,
    /// The branch, tag or commit to start from.
    pub(crate) reference: Option<String>,
    /// The profile's name.
    pub(crate) profile: Name,
    /// The Python version or interpreter that was asked for in place of the profile's.
    pub(crate) python: Option<String>,
    /// The packages that were asked for in place of the profile's.
    pub(crate) packages: Option<Vec<String>>,
    /// What the profile comes to, with what was asked for in its place.
    pub(crate) settings: Profile,
}

impl Specification {
    /// Returns the input of the `provision-workspace` that makes it.
    pub(crate) fn input(&self, host: &Name) -> Value {
        let mut input = json!({
            "host": host,
            "repository": self.repository,
            "url": self.url,
            "profile": self.profile,
        });
        if let Some(reference) = &self.reference {
            input["reference"] = json!(reference);
        }
        if let Some(python) = &self.python {
            input["python"] = json!(python);
        }
        if let Some(packages) = &self.packages {
            input["packages"] = json!(packages);
        }
        input
    }

    /// Returns whether it has an environment of its own.
    pub(crate) fn has_environment(&self) -> bool {
        self.settings.environment == Some(Environment::Uv)
    }

    /// Returns how the repository gets into the environment.
    pub(crate) fn install(&self) -> Install {
        self.settings.install.unwrap_or(Install::None)
    }

    /// Returns the folder of the seed clone below legwork's own.
    pub(crate) fn seed(&self) -> String {
        format!("repos/{}/seed", self.repository)
    }

    /// Returns the folder of the environment below legwork's own.
    ///
    /// Its name follows from all that goes into it; each repository has its own, so that the repository's lock
    /// guards it too.
    pub(crate) fn environment(&self) -> Option<String> {
        self.has_environment().then(|| {
            let identity = (
                &self.repository,
                &self.settings.python,
                &self.settings.packages,
                self.install(),
                &self.settings.install_arguments,
            );
            format!(
                "envs/{}-{}",
                self.profile,
                &digest::canonical(&identity)[..12]
            )
        })
    }

    /// Returns the digest that a step's marker has once the step is done; nothing where the step is not needed, or
    /// where it depends on a commit that is not known yet.
    pub(crate) fn digest(&self, step: Step, commit: Option<&str>) -> Option<String> {
        let settings = &self.settings;
        match step {
            Step::Clone => Some(digest::canonical(&("clone", &self.url))),
            Step::Resolve => Some(digest::canonical(&("resolve", &self.url, &self.reference))),
            Step::Environment => self
                .environment()
                .map(|folder| digest::canonical(&("environment", folder))),
            Step::Install => {
                if !self.has_environment()
                    || self.install() == Install::None && settings.packages.is_empty()
                {
                    return None;
                }
                let source = if self.install() == Install::None {
                    ""
                } else {
                    commit?
                };
                Some(digest::canonical(&("install", self.environment(), source)))
            }
            Step::Setup => {
                let command = settings.setup.as_ref()?;
                let stands_on = self.digest(Step::Install, commit);
                Some(digest::canonical(&(
                    "setup",
                    command,
                    &settings.variables,
                    commit?,
                    self.environment(),
                    stands_on,
                )))
            }
            Step::Smoke => {
                let command = settings.smoke.as_ref()?;
                let stands_on = self.digest(Step::Install, commit);
                let set_up = self.digest(Step::Setup, commit);
                Some(digest::canonical(&(
                    "smoke",
                    command,
                    &settings.variables,
                    commit?,
                    self.environment(),
                    stands_on,
                    set_up,
                )))
            }
        }
    }

    /// Returns whether a step is part of this workspace at all.
    pub(crate) fn needs(&self, step: Step) -> bool {
        self.digest(step, Some("")).is_some()
    }

    /// Returns what a step stands on, with the digests it must find there.
    pub(crate) fn stands_on(&self, step: Step, commit: Option<&str>) -> Vec<(Step, String)> {
        step.stands_on()
            .iter()
            .filter_map(|before| Some((*before, self.digest(*before, commit)?)))
            .collect()
    }

    /// Returns the steps whose work has to be done again once a step was.
    pub(crate) fn undoes(&self, step: Step) -> Vec<Step> {
        let of_sources = |later: Step| match later {
            Step::Clone | Step::Environment => false,
            Step::Install => self.install() != Install::None,
            Step::Resolve | Step::Setup | Step::Smoke => true,
        };
        Step::ALL
            .into_iter()
            .filter(|later| *later > step)
            .filter(|later| match step {
                Step::Clone | Step::Resolve => of_sources(*later),
                Step::Environment | Step::Install | Step::Setup | Step::Smoke => true,
            })
            .collect()
    }

    /// Returns what a step's script is given, besides what all are.
    pub(crate) fn arguments(&self, step: Step, just_cloned: bool) -> Vec<String> {
        let settings = &self.settings;
        match step {
            Step::Clone => vec![self.url.clone()],
            Step::Resolve => vec![
                self.reference.clone().unwrap_or_default(),
                if just_cloned { "cloned" } else { "fetch" }.to_owned(),
            ],
            Step::Environment => vec![settings.python.clone().unwrap_or_default()],
            Step::Install => {
                let how = match self.install() {
                    Install::None => "none",
                    Install::Editable => "editable",
                    Install::Wheel => "wheel",
                };
                std::iter::once(how.to_owned())
                    .chain(settings.install_arguments.iter().cloned())
                    .chain(settings.packages.iter().cloned())
                    .collect()
            }
            Step::Setup => settings.setup.iter().cloned().collect(),
            Step::Smoke => settings.smoke.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Specification, Step};
    use crate::contract::{
        Name,
        configuration::{Environment, Install, Profile},
    };

    fn specification() -> Specification {
        Specification {
            repository: Name::fixed("demo"),
            url: "https://example.org/demo.git".to_owned(),
            reference: Some("main".to_owned()),
            profile: Name::fixed("python-uv"),
            python: None,
            packages: None,
            settings: Profile {
                environment: Some(Environment::Uv),
                install: Some(Install::Editable),
                setup: Some("make".to_owned()),
                smoke: Some("make test".to_owned()),
                ..Profile::default()
            },
        }
    }

    fn changed(change: impl FnOnce(&mut Specification), commit: &str) -> Vec<&'static str> {
        let before = specification();
        let mut after = before.clone();
        change(&mut after);
        Step::ALL
            .into_iter()
            .filter(|step| before.digest(*step, Some("a")) != after.digest(*step, Some(commit)))
            .map(Step::name)
            .collect()
    }

    #[test]
    fn a_change_reruns_just_what_depends_on_it() {
        assert_eq!(changed(|_| (), "a"), [""; 0]);
        assert_eq!(
            changed(|it| it.reference = Some("dev".to_owned()), "b"),
            ["resolve", "install", "setup", "smoke"]
        );
        assert_eq!(
            changed(|it| it.settings.packages = vec!["x".to_owned()], "a"),
            ["environment", "install", "setup", "smoke"]
        );
        assert_eq!(
            changed(|it| it.settings.setup = None, "a"),
            ["setup", "smoke"]
        );
        assert_eq!(
            changed(|it| it.settings.smoke = Some("true".to_owned()), "a"),
            ["smoke"]
        );
    }

    #[test]
    fn packages_alone_do_not_depend_on_the_commit() {
        let mut it = specification();
        it.settings.install = Some(Install::None);
        assert!(!it.needs(Step::Install));
        it.settings.packages = vec!["x".to_owned()];
        assert_eq!(
            it.digest(Step::Install, Some("a")),
            it.digest(Step::Install, Some("b"))
        );
        assert!(it.digest(Step::Install, None).is_some());
    }

    #[test]
    fn a_step_is_undone_by_what_it_stands_on() {
        let mut it = specification();
        let names = |it: &Specification, step: Step| -> Vec<_> {
            it.undoes(step).into_iter().map(Step::name).collect()
        };
        assert_eq!(
            names(&it, Step::Clone),
            ["resolve", "install", "setup", "smoke"]
        );
        assert_eq!(names(&it, Step::Environment), ["install", "setup", "smoke"]);
        assert_eq!(names(&it, Step::Smoke), [""; 0]);
        it.settings.install = Some(Install::None);
        assert_eq!(names(&it, Step::Resolve), ["setup", "smoke"]);
    }
}
