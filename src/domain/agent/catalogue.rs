//! The agents there are: built in, and configured.

use std::collections::BTreeMap;

use crate::{
    contract::configuration::{self, Configuration},
    system::environment::Environment,
};

use super::{ADAPTERS, Adapter, Error, Options, ProjectSettings, Request, request::CommandLine};

/// The name of the demonstration's bundled agent: a script that fixes the demonstration's bug, without a model.
pub(crate) const DEMO: &str = "demo";

/// Programs of agents that have no adapter yet. A host is searched for them too, since the configuration can run them
/// by their argv.
const WITHOUT_ADAPTER: &[&str] = &["aider", "cursor-agent", "gemini", "opencode", "pi"];

/// An agent, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    /// Its name.
    pub(crate) name: String,
    /// How it is driven.
    pub(crate) adapter: &'static dyn Adapter,
    /// The program it runs, by name or full path.
    pub(crate) program: String,
    /// The model where a launch names none.
    pub(crate) model: Option<String>,
    /// Variables of its environment, in plain text.
    pub(crate) variables: BTreeMap<String, String>,
    /// Secrets: the variable there, and the variable here it is taken from.
    pub(crate) secrets: BTreeMap<String, String>,
    /// What becomes of the settings that a repository brings along.
    pub(crate) project_settings: ProjectSettings,
    arguments: Vec<String>,
    argv: Vec<String>,
}

impl Agent {
    /// Returns the options of a launch that it has.
    pub(crate) fn options(&self) -> Options {
        self.adapter.options(&self.argv)
    }

    /// Reads the values of its secrets, which the caller's environment holds.
    pub(crate) fn secret_values(
        &self,
        environment: &Environment,
    ) -> Result<BTreeMap<String, String>, Error> {
        let read = |(variable, source): (&String, &String)| {
            let value = environment
                .get(source)
                .ok_or_else(|| Error::SecretMissing {
                    agent: self.name.clone(),
                    variable: source.clone(),
                })?;
            Ok((variable.clone(), value.to_owned()))
        };
        self.secrets.iter().map(read).collect()
    }

    /// Returns the arguments that run it on a request; the first is the program. Never a shell text.
    ///
    /// An option that the agent does not have is an error, never dropped.
    pub(crate) fn argv(&self, request: &Request<'_>) -> Result<Vec<String>, Error> {
        let mut request = *request;
        request.model = request.model.or(self.model.as_deref());
        let options = self.options();
        if let Some(option) = options.missing_for(&request) {
            return Err(Error::OptionUnsupported {
                agent: self.name.clone(),
                option,
                known: options.names(),
            });
        }
        let line = CommandLine {
            agent: &self.name,
            program: &self.program,
            arguments: &self.arguments,
            argv: &self.argv,
            project_settings: self.project_settings == ProjectSettings::Allowed,
        };
        self.adapter.argv(line, &request)
    }

    /// Returns the arguments that make it print its version; none where it cannot be asked.
    pub(crate) fn version_argv(&self) -> Option<Vec<String>> {
        self.adapter.version_argv(&self.program)
    }

    /// Returns the arguments that make it report whether it is logged in; none where it cannot be asked.
    pub(crate) fn login_argv(&self) -> Option<Vec<String>> {
        self.adapter.login_argv(&self.program)
    }
}

/// Returns the programs of all agents that a host may have, with an adapter or without.
pub(crate) fn programs() -> Vec<&'static str> {
    let mut programs: Vec<&str> = ADAPTERS
        .iter()
        .filter_map(|adapter| adapter.program())
        .chain(WITHOUT_ADAPTER.iter().copied())
        .collect();
    programs.sort_unstable();
    programs.dedup();
    programs
}

/// Returns the names of all agents, built-in ones first.
pub(crate) fn names(configuration: &Configuration) -> Vec<String> {
    let mut names: Vec<String> = ADAPTERS
        .iter()
        .filter(|adapter| adapter.program().is_some())
        .map(|adapter| adapter.name().to_owned())
        .collect();
    for name in configuration.agents.keys() {
        if !names.iter().any(|known| known == name.as_str()) {
            names.push(name.as_str().to_owned());
        }
    }
    names
}

/// Finds an agent by its name.
pub(crate) fn resolve(configuration: &Configuration, name: &str) -> Result<Agent, Error> {
    let configured = configuration
        .agents
        .iter()
        .find(|(known, _)| known.as_str() == name)
        .map(|(_, agent)| agent);
    let built_in = <dyn Adapter>::named(name).filter(|adapter| adapter.program().is_some());
    match (configured, built_in) {
        (None, None) if name == DEMO => Ok(Agent {
            // The script is ours and reads no settings.
            project_settings: ProjectSettings::Off,
            ..assemble(
                name,
                &configuration::Agent {
                    argv: ["sh", "-c", include_str!("demo.sh")]
                        .map(str::to_owned)
                        .to_vec(),
                    ..configuration::Agent::default()
                },
            )?
        }),
        (None, None) => Err(Error::Unknown {
            name: name.to_owned(),
            known: names(configuration),
        }),
        (None, Some(_)) => assemble(name, &configuration::Agent::default()),
        (Some(agent), _) => assemble(name, agent),
    }
}

fn assemble(name: &str, agent: &configuration::Agent) -> Result<Agent, Error> {
    let adapter = adapter(name, agent)?;
    let program = match adapter.program() {
        None => {
            if agent.program.is_some() || !agent.arguments.is_empty() {
                return Err(Error::misconfigured(
                    name,
                    "argv",
                    format!(
                        "the adapter `{}` takes program and arguments in `argv`",
                        adapter.name()
                    ),
                ));
            }
            agent.argv.first().map_or("", String::as_str)
        }
        Some(program) => {
            if !agent.argv.is_empty() {
                return Err(Error::misconfigured(
                    name,
                    "argv",
                    format!("the adapter `{}` makes its own argv", adapter.name()),
                ));
            }
            agent.program.as_deref().unwrap_or(program)
        }
    };
    if program.is_empty() {
        return Err(Error::misconfigured(name, "argv", "it names no program"));
    }
    let mut variables = agent.variables.clone();
    let project_settings = if agent.project_settings {
        ProjectSettings::Allowed
    } else {
        for (variable, value) in adapter.variables(&agent.argv) {
            if !agent.secrets.contains_key(*variable) {
                let value = || (*value).to_owned();
                variables
                    .entry((*variable).to_owned())
                    .or_insert_with(value);
            }
        }
        adapter.project_settings(&agent.argv)
    };
    Ok(Agent {
        name: name.to_owned(),
        adapter,
        program: program.to_owned(),
        model: agent.model.clone(),
        variables,
        project_settings,
        secrets: agent.secrets.clone(),
        arguments: agent.arguments.clone(),
        argv: agent.argv.clone(),
    })
}

/// Finds the adapter that an agent's configuration names; by default the one of the agent's own name, or the one that
/// takes any argv where there is one.
fn adapter(name: &str, agent: &configuration::Agent) -> Result<&'static dyn Adapter, Error> {
    if let Some(adapter) = &agent.adapter {
        return <dyn Adapter>::named(adapter.as_str()).ok_or_else(|| {
            let message = format!("there is no adapter {:?}", adapter.as_str());
            Error::misconfigured(name, "adapter", message)
        });
    }
    let takes_any_argv = || {
        ADAPTERS
            .iter()
            .copied()
            .find(|adapter| adapter.program().is_none() && !agent.argv.is_empty())
    };
    <dyn Adapter>::named(name)
        .or_else(takes_any_argv)
        .ok_or_else(|| Error::misconfigured(name, "adapter", "it names no adapter and no argv"))
}

#[cfg(test)]
mod tests {
    use super::{ADAPTERS, Error, Request, names, programs, resolve};
    use crate::contract::{Code, Coded as _, configuration::Configuration, details};

    fn configuration(text: &str) -> Configuration {
        toml::from_str(text).expect("a configuration")
    }

    const REQUEST: Request<'_> = Request {
        prompt_file: "/j/prompt.md",
        model: None,
        max_turns: None,
        max_cost_usd: None,
        worktree: "/j/worktree",
        job: "/j",
        session_id: "5f0c0f4e-0000-4000-8000-000000000000",
    };

    #[test]
    fn built_in_agents_need_no_configuration() {
        let nothing = Configuration::default();
        let claude = resolve(&nothing, "claude").expect("an agent");
        assert_eq!(
            (claude.adapter.name(), claude.program.as_str()),
            ("claude", "claude")
        );
        assert!(claude.options().max_turns);
        assert!(claude.version_argv().is_some() && claude.login_argv().is_some());
        let codex = resolve(&nothing, "codex").expect("an agent");
        assert!(codex.options().model && !codex.options().max_turns);
        assert!(names(&nothing).starts_with(&["claude".to_owned(), "codex".to_owned()]));
    }

    #[test]
    fn configured_agents_extend_and_replace() {
        let configuration = configuration(
            "[agents.claude]\nprogram = '/opt/claude'\nmodel = 'sonnet'\n\
             [agents.careful]\nadapter = 'codex'\narguments = ['--sandbox=workspace-write']\n\
             [agents.mine]\nargv = ['fix', '{prompt}']\n",
        );
        let names = names(&configuration);
        assert!(names.ends_with(&["careful".to_owned(), "mine".to_owned()]));
        assert_eq!(names.iter().filter(|name| *name == "claude").count(), 1);
        let claude = resolve(&configuration, "claude").expect("an agent");
        let argv = claude.argv(&REQUEST).expect("an argv");
        assert_eq!(argv.first().map(String::as_str), Some("/opt/claude"));
        assert!(argv.iter().any(|word| word == "--model=sonnet"));
        let request = Request {
            model: Some("opus"),
            ..REQUEST
        };
        let argv = claude.argv(&request).expect("an argv");
        assert!(argv.iter().any(|word| word == "--model=opus"));
        let careful = resolve(&configuration, "careful").expect("an agent");
        let argv = careful.argv(&REQUEST).expect("an argv");
        assert!(argv.ends_with(&["--sandbox=workspace-write".to_owned(), "-".to_owned()]));
        let mine = resolve(&configuration, "mine").expect("an agent");
        assert_eq!(
            mine.argv(&REQUEST).expect("an argv"),
            ["fix", "/j/prompt.md"]
        );
        assert_eq!((mine.adapter.name(), mine.login_argv()), ("command", None));
    }

    #[test]
    fn every_listed_agent_is_run_with_each_option_it_has_and_no_other() {
        for adapter in ADAPTERS {
            let text = match adapter.program() {
                Some(_) => format!("[agents.a]\nadapter = '{}'\n", adapter.name()),
                None => "[agents.a]\nargv = ['fix', '--model={model}']\n".to_owned(),
            };
            let agent = resolve(&configuration(&text), "a").expect("an agent");
            let options = agent.options();
            let base = Request {
                model: Some("a-model").filter(|_| options.model),
                ..REQUEST
            };
            let argv = agent.argv(&base).expect("an argv");
            assert_eq!(argv.first(), Some(&agent.program), "{adapter:?}");
            let names_model = argv.iter().any(|word| word.contains("a-model"));
            assert_eq!(names_model, options.model, "{adapter:?}");
            let with_model = Request {
                model: Some("m"),
                ..REQUEST
            };
            let with_turns = Request {
                max_turns: Some(5),
                ..base
            };
            let with_cost = Request {
                max_cost_usd: Some(0.5),
                ..base
            };
            for (has, request) in [
                (options.model, with_model),
                (options.max_turns, with_turns),
                (options.max_cost_usd, with_cost),
            ] {
                let code = agent.argv(&request).err().map(|error| error.code());
                let refused = (!has).then_some(Code::AgentOptionUnsupported);
                assert_eq!(code, refused, "{adapter:?} {request:?}");
            }
        }
        let fixed = resolve(&configuration("[agents.a]\nargv = ['fix']\n"), "a");
        let request = Request {
            model: Some("m"),
            ..REQUEST
        };
        let error = fixed
            .expect("an agent")
            .argv(&request)
            .expect_err("no place");
        assert_eq!(error.code(), Code::AgentOptionUnsupported);
    }

    #[test]
    fn a_host_is_searched_for_every_agent_once() {
        let programs = programs();
        for adapter in ADAPTERS {
            let program = adapter.program();
            assert!(program.is_none_or(|program| programs.contains(&program)));
        }
        assert!(
            programs.is_sorted_by(|one, other| one < other),
            "{programs:?}"
        );
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest_one() {
        let error = resolve(&Configuration::default(), "cluade").expect_err("no such agent");
        assert_eq!(error.code(), Code::AgentUnknown);
        let facts: details::Unknown = error.details().facts().expect("a name that is not known");
        assert_eq!(facts.did_you_mean(), Some("claude"));
        let error = resolve(&Configuration::default(), "command").expect_err("no such agent");
        assert!(matches!(error, Error::Unknown { .. }));
    }

    #[test]
    fn configurations_that_make_no_sense_are_refused() {
        for text in [
            "[agents.a]\nadapter = 'nothing'\n",
            "[agents.a]\nmodel = 'm'\n",
            "[agents.a]\nadapter = 'command'\n",
            "[agents.a]\nargv = ['']\n",
            "[agents.a]\nadapter = 'claude'\nargv = ['x']\n",
            "[agents.a]\nargv = ['x']\nprogram = 'y'\n",
        ] {
            let error = resolve(&configuration(text), "a").expect_err(text);
            assert_eq!(error.code(), Code::ConfigInvalid, "{text}");
            assert!(!error.remediation().is_empty());
        }
    }
}
