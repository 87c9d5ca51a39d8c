//! What a workspace is to be, and what each step needs and undoes for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Step, install_arguments::InstallArguments};
use crate::{
    contract::{
        Name,
        configuration::{Environment, Install, Profile},
    },
    domain::repository::Switches,
    system::{digest, quote::quote},
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
    /// What clones hold beside the files of the repository itself.
    #[serde(default)]
    pub(crate) switches: Switches,
}

/// Returns the folder of a repository's mirror below legwork's own.
pub(crate) fn mirror(repository: &Name) -> String {
    format!("mirrors/{repository}.git")
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

    /// Returns the same in a word.
    pub(super) fn install_name(&self) -> &'static str {
        match self.install() {
            Install::None => "none",
            Install::Editable => "editable",
            Install::Wheel => "wheel",
        }
    }

    /// Returns the variables of what is run in its seed.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let install = ("LEGWORK_INSTALL".to_owned(), self.install_name().to_owned());
        let variables = self.settings.variables.clone().into_iter();
        variables.chain([install]).collect()
    }

    /// Returns the packages as a list of requirements, a line each.
    pub(super) fn packages(&self) -> String {
        self.settings.packages.join("\n") + "\n"
    }

    /// Returns the arguments of whatever installs something, as words of a shell.
    pub(super) fn sources(&self) -> String {
        let sources = InstallArguments::sort(&self.settings.install_arguments).sources;
        let words: Vec<String> = sources.iter().map(|word| quote(word)).collect();
        words.join(" ")
    }

    /// Checks that what the profile says of the environment can be done, and that nothing of it would be left out.
    ///
    /// Returns the field and what is wrong with it.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let settings = &self.settings;
        let lists = [
            ("packages", &settings.packages),
            ("requirements", &settings.requirements),
            ("extras", &settings.extras),
            ("groups", &settings.groups),
            ("install_arguments", &settings.install_arguments),
        ];
        if !self.has_environment() {
            let needless = lists.into_iter().find(|(_, list)| !list.is_empty());
            return needless.map(|(field, _)| {
                (
                    field,
                    "it needs environment = \"uv\": nothing is installed without",
                )
            });
        }
        let is_below = |path: &String| {
            !path.is_empty()
                && !path.starts_with(['/', '-', '~'])
                && !path.contains('\\')
                && path.split('/').all(|part| part != "..")
        };
        if !settings.requirements.iter().all(is_below) {
            return Some(("requirements", "each must be a path below the repository"));
        }
        if settings
            .extras
            .iter()
            .chain(&settings.groups)
            .any(|it| it.is_empty() || it.starts_with('-'))
        {
            return Some(("extras", "it must hold names of extras"));
        }
        let installs_nothing = !self.reads_project()
            && settings.packages.is_empty()
            && settings.requirements.is_empty();
        if installs_nothing && !settings.install_arguments.is_empty() {
            return Some((
                "install_arguments",
                "with install = \"none\" and neither packages nor requirements, nothing is installed that they are for; \
                 name files of requirements in requirements",
            ));
        }
        None
    }

    /// Returns the folder of the seed clone below legwork's own.
    pub(crate) fn seed(&self) -> String {
        format!("repos/{}/seed", self.repository)
    }

    /// Returns whether what goes into the environment depends on the repository's files.
    fn reads_sources(&self) -> bool {
        self.install() != Install::None
            || self.reads_project()
            || !self.requirements().is_empty()
            || !self.settings.install_arguments.is_empty()
    }

    /// Returns whether what the repository itself depends on goes into the environment.
    fn reads_project(&self) -> bool {
        self.install() != Install::None
            || !self.settings.extras.is_empty()
            || !self.settings.groups.is_empty()
    }

    /// Returns the files of the repository that list what goes into the environment.
    fn requirements(&self) -> Vec<String> {
        let named = InstallArguments::sort(&self.settings.install_arguments).requirements;
        [&self.settings.requirements[..], &named].concat()
    }

    /// Returns the digest that a step's marker has once the step is done; nothing where the step is not needed, or
    /// where it depends on a commit that is not known yet.
    pub(crate) fn digest(&self, step: Step, commit: Option<&str>) -> Option<String> {
        let settings = &self.settings;
        match step {
            Step::Clone => Some(digest::canonical(&("clone", &self.url))),
            Step::Resolve => Some(digest::canonical(&(
                "resolve",
                &self.url,
                &self.reference,
                &self.switches,
            ))),
            Step::Environment => self
                .has_environment()
                .then(|| digest::canonical(&("environment", "v2", &settings.python))),
            Step::Install => {
                if !self.has_environment() {
                    return None;
                }
                let source = if self.reads_sources() { commit? } else { "" };
                let wanted = (
                    self.install(),
                    &settings.packages,
                    &settings.requirements,
                    &settings.extras,
                    &settings.groups,
                    &settings.install_arguments,
                );
                let stands_on = self.digest(Step::Environment, commit);
                Some(digest::canonical(&(
                    "install", "v2", wanted, stands_on, source,
                )))
            }
            Step::Setup => {
                let command = settings.setup.as_ref()?;
                let stands_on = self.digest(Step::Install, commit);
                Some(digest::canonical(&(
                    "setup",
                    command,
                    &settings.variables,
                    commit?,
                    stands_on,
                )))
            }
            Step::Prepare => {
                let command = settings.prepare.as_ref()?;
                let stands_on = self.digest(Step::Install, commit);
                let set_up = self.digest(Step::Setup, commit);
                Some(digest::canonical(&(
                    "prepare",
                    command,
                    &settings.variables,
                    commit?,
                    stands_on,
                    set_up,
                )))
            }
            Step::Smoke => {
                let command = settings.smoke.as_ref()?;
                let stands_on = self.digest(Step::Install, commit);
                let set_up = self.digest(Step::Setup, commit);
                let prepared = self.digest(Step::Prepare, commit);
                Some(digest::canonical(&(
                    "smoke",
                    command,
                    &settings.variables,
                    commit?,
                    stands_on,
                    set_up,
                    prepared,
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
            Step::Install => self.reads_sources(),
            Step::Resolve | Step::Setup | Step::Prepare | Step::Smoke => true,
        };
        Step::ALL
            .into_iter()
            .filter(|later| *later > step)
            .filter(|later| match step {
                Step::Clone | Step::Resolve => of_sources(*later),
                Step::Environment | Step::Install | Step::Setup | Step::Prepare | Step::Smoke => {
                    true
                }
            })
            .collect()
    }

    /// Returns what a step's script is given, besides what all are.
    ///
    /// `mirror` is the digest that the mirror must have, as far as one is known.
    pub(crate) fn arguments(
        &self,
        step: Step,
        just_cloned: bool,
        mirror: Option<&str>,
    ) -> Vec<String> {
        let settings = &self.settings;
        match step {
            Step::Clone => vec![self.url.clone()],
            Step::Resolve => [
                self.reference.clone().unwrap_or_default(),
                if just_cloned { "cloned" } else { "fetch" }.to_owned(),
                self.url.clone(),
                mirror.unwrap_or("-").to_owned(),
            ]
            .into_iter()
            .chain(self.switches.words())
            .collect(),
            Step::Environment => vec![settings.python.clone().unwrap_or_default()],
            Step::Install => {
                let arguments = InstallArguments::sort(&settings.install_arguments);
                let option = |name: &'static str, values: &[String]| -> Vec<String> {
                    let pairs = values.iter().flat_map(|it| [name.to_owned(), it.clone()]);
                    pairs.collect()
                };
                let project = if self.reads_project() { "project" } else { "-" };
                [
                    vec![
                        self.install_name().to_owned(),
                        project.to_owned(),
                        self.profile.to_string(),
                    ],
                    arguments.lock,
                    option("--extra", &settings.extras),
                    option("--group", &settings.groups),
                    self.requirements(),
                ]
                .concat()
            }
            Step::Setup => settings.setup.iter().cloned().collect(),
            Step::Prepare => settings.prepare.iter().cloned().collect(),
            Step::Smoke => settings.smoke.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Specification, Step, Switches};
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
            switches: Switches::default(),
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
            changed(|it| it.switches.submodules = true, "a"),
            ["resolve"]
        );
        assert_eq!(
            changed(|it| it.settings.packages = vec!["x".to_owned()], "a"),
            ["install", "setup", "smoke"]
        );
        assert_eq!(
            changed(|it| it.settings.python = Some("3.12".to_owned()), "a"),
            ["environment", "install", "setup", "smoke"]
        );
        assert_eq!(
            changed(|it| it.settings.setup = None, "a"),
            ["setup", "smoke"]
        );
        assert_eq!(
            changed(|it| it.settings.prepare = Some("make".to_owned()), "a"),
            ["prepare", "smoke"]
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
            ["resolve", "install", "setup", "prepare", "smoke"]
        );
        assert_eq!(
            names(&it, Step::Environment),
            ["install", "setup", "prepare", "smoke"]
        );
        assert_eq!(names(&it, Step::Smoke), [""; 0]);
        it.settings.install = Some(Install::None);
        assert_eq!(names(&it, Step::Resolve), ["setup", "prepare", "smoke"]);
        it.settings.requirements = vec!["r.txt".to_owned()];
        assert_eq!(
            names(&it, Step::Resolve),
            ["install", "setup", "prepare", "smoke"]
        );
    }

    #[test]
    fn what_would_be_left_out_is_a_fault_of_its_field() {
        fn arguments() -> Vec<String> {
            vec!["-r".to_owned(), "r.txt".to_owned()]
        }
        let fault = |change: fn(&mut Profile)| {
            let mut it = specification();
            change(&mut it.settings);
            it.fault().map(|(field, _)| field)
        };
        assert_eq!(fault(|_| ()), None);
        assert_eq!(
            fault(|it| (it.install, it.install_arguments) = (Some(Install::None), arguments())),
            Some("install_arguments")
        );
        assert_eq!(fault(|it| it.install_arguments = arguments()), None);
        assert_eq!(
            fault(|it| (it.environment, it.packages) = (None, arguments())),
            Some("packages")
        );
        assert_eq!(
            fault(|it| it.requirements = vec!["../r.txt".to_owned()]),
            Some("requirements")
        );
    }
}
