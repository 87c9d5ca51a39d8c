//! The agents there are: built in, and configured.

use std::collections::BTreeMap;

use crate::contract::{
    Violation,
    configuration::{self, Configuration},
};

use super::{Adapter, Error, Options, Request, adapter::Line, command};

/// An agent, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    /// Its name.
    pub(crate) name: String,
    /// How it is driven.
    pub(crate) adapter: Adapter,
    /// The program it runs, by name or full path.
    pub(crate) program: String,
    /// The model where a launch names none.
    pub(crate) model: Option<String>,
    /// Variables of its environment, in plain text.
    pub(crate) variables: BTreeMap<String, String>,
    /// Secrets: the variable there, and the variable here it is taken from.
    pub(crate) secrets: BTreeMap<String, String>,
    arguments: Vec<String>,
    argv: Vec<String>,
}

impl Agent {
    /// Returns the options of a launch that it has.
    pub(crate) fn options(&self) -> Options {
        match self.adapter {
            Adapter::Claude => Options {
                model: true,
                max_turns: true,
                max_cost_usd: true,
            },
            Adapter::Codex => Options {
                model: true,
                max_turns: false,
                max_cost_usd: false,
            },
            Adapter::Command => command::options(&self.argv),
        }
    }

    /// Returns the arguments that run it on a request; the first is the program. Never a shell text.
    ///
    /// An option that the agent does not have is an error, never dropped.
    pub(crate) fn argv(&self, request: &Request<'_>) -> Result<Vec<String>, Error> {
        let mut request = *request;
        request.model = request.model.or(self.model.as_deref());
        let line = Line {
            agent: &self.name,
            program: &self.program,
            arguments: &self.arguments,
            argv: &self.argv,
        };
        self.adapter.argv(line, &request)
    }

    /// Returns the arguments that make it print its version; none where it cannot be asked.
    pub(crate) fn version_argv(&self) -> Option<Vec<String>> {
        self.adapter.version_argv(&self.program)
    }

    /// Returns the arguments that make it say whether it is logged in; none where it cannot be asked.
    pub(crate) fn login_argv(&self) -> Option<Vec<String>> {
        self.adapter.login_argv(&self.program)
    }
}

/// The name of the bundled agent of the demonstration: a script that mends the demonstration's bug, without a model.
pub(crate) const DEMO: &str = "demo";

/// Returns the names of all agents, built in ones first.
pub(crate) fn names(configuration: &Configuration) -> Vec<String> {
    let mut names: Vec<String> = [Adapter::Claude, Adapter::Codex]
        .map(|adapter| adapter.name().to_owned())
        .into();
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
    let built_in = Adapter::named(name).filter(|adapter| adapter.program().is_some());
    match (configured, built_in) {
        (None, None) if name == DEMO => assemble(
            name,
            &configuration::Agent {
                argv: ["sh", "-c", include_str!("demo.sh")]
                    .map(str::to_owned)
                    .to_vec(),
                ..configuration::Agent::default()
            },
        ),
        (None, None) => Err(Error::Unknown {
            name: name.to_owned(),
            known: names(configuration),
        }),
        (None, Some(_)) => assemble(name, &configuration::Agent::default()),
        (Some(agent), _) => assemble(name, agent),
    }
}

fn assemble(name: &str, agent: &configuration::Agent) -> Result<Agent, Error> {
    let adapter = match &agent.adapter {
        Some(adapter) => Adapter::named(adapter.as_str()).ok_or_else(|| {
            wrong(
                name,
                "adapter",
                format!("there is no adapter {:?}", adapter.as_str()),
            )
        })?,
        None => Adapter::named(name)
            .or((!agent.argv.is_empty()).then_some(Adapter::Command))
            .ok_or_else(|| {
                wrong(
                    name,
                    "adapter",
                    "it names no adapter and no argv".to_owned(),
                )
            })?,
    };
    let program = match adapter {
        Adapter::Command => {
            if agent.program.is_some() || !agent.arguments.is_empty() {
                return Err(wrong(
                    name,
                    "argv",
                    "the adapter `command` takes program and arguments in `argv`".to_owned(),
                ));
            }
            agent.argv.first().cloned()
        }
        Adapter::Claude | Adapter::Codex => {
            if !agent.argv.is_empty() {
                return Err(wrong(
                    name,
                    "argv",
                    format!("the adapter `{}` makes its own argv", adapter.name()),
                ));
            }
            agent
                .program
                .clone()
                .or_else(|| adapter.program().map(str::to_owned))
        }
    };
    let program = program
        .filter(|program| !program.is_empty())
        .ok_or_else(|| wrong(name, "argv", "it names no program".to_owned()))?;
    Ok(Agent {
        name: name.to_owned(),
        adapter,
        program,
        model: agent.model.clone(),
        variables: agent.variables.clone(),
        secrets: agent.secrets.clone(),
        arguments: agent.arguments.clone(),
        argv: agent.argv.clone(),
    })
}

/// Makes the error for a field of an agent's configuration.
pub(super) fn wrong(agent: &str, field: &str, message: String) -> Error {
    Error::Misconfigured {
        agent: agent.to_owned(),
        violation: Violation::new(format!("/agents/{agent}/{field}"), "agent", message),
    }
}

#[cfg(test)]
mod tests {
    use super::{Adapter, Error, Request, names, resolve};
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
            (claude.adapter, claude.program.as_str()),
            (Adapter::Claude, "claude")
        );
        assert!(claude.options().max_turns);
        assert!(claude.version_argv().is_some() && claude.login_argv().is_some());
        let codex = resolve(&nothing, "codex").expect("an agent");
        assert!(codex.options().model && !codex.options().max_turns);
        assert_eq!(names(&nothing), ["claude", "codex"]);
    }

    #[test]
    fn configured_agents_extend_and_replace() {
        let configuration = configuration(
            "[agents.claude]\nprogram = '/opt/claude'\nmodel = 'sonnet'\n\
             [agents.careful]\nadapter = 'codex'\narguments = ['--sandbox=workspace-write']\n\
             [agents.mine]\nargv = ['fix', '{prompt}']\n",
        );
        assert_eq!(
            names(&configuration),
            ["claude", "codex", "careful", "mine"]
        );
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
        assert_eq!((mine.adapter, mine.login_argv()), (Adapter::Command, None));
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
