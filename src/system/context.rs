//! All of the outside world in one bundle.

use std::sync::{Once, OnceLock};

use super::{
    configuration,
    environment::Environment,
    meter::Meter,
    progress::Progress,
    secrets::{self, Redactor},
    store::{self, Store},
};
use crate::contract::{Description, configuration::Configuration};

/// What a call may reach of the outside world; each part is opened when it is first asked for.
#[derive(Debug)]
pub struct Context {
    environment: Environment,
    descriptions: fn() -> Vec<&'static Description>,
    meter: Meter,
    redactor: Redactor,
    silenced: Once,
    configuration: OnceLock<Configuration>,
    store: OnceLock<Store>,
}

impl Context {
    /// Takes the environment of this process; `descriptions` says which primitives there are.
    pub fn of_process(descriptions: fn() -> Vec<&'static Description>) -> Self {
        let environment = Environment::of_process();
        Self {
            redactor: Redactor::of_environment(&environment),
            silenced: Once::new(),
            environment,
            descriptions,
            meter: Meter::default(),
            configuration: OnceLock::new(),
            store: OnceLock::new(),
        }
    }

    /// Returns the environment.
    pub(crate) const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Lists what is known of all primitives.
    pub(crate) fn descriptions(&self) -> Vec<&'static Description> {
        (self.descriptions)()
    }

    /// Returns the record of what the call has done.
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Returns the keeper of secrets.
    pub fn redactor(&self) -> Redactor {
        if self.configuration.get().is_none() {
            self.silenced.call_once(|| {
                for variable in
                    configuration::secret_variables(&self.environment.configuration_file())
                {
                    if let Some(secret) = self.environment.get(&variable) {
                        self.learn_secret(secret);
                    }
                }
            });
        }
        self.redactor.clone()
    }

    /// Keeps one more secret out of everything that is written.
    pub(crate) fn learn_secret(&self, secret: &str) {
        self.redactor.learn(secret);
    }

    /// Returns the configuration, read when first asked for.
    pub(crate) fn configuration(&self) -> Result<&Configuration, configuration::Error> {
        if let Some(known) = self.configuration.get() {
            return Ok(known);
        }
        let loaded = configuration::load(&self.environment.configuration_file())?;
        for agent in loaded.agents.values() {
            for variable in agent.secrets.values() {
                if let Some(secret) = self.environment.get(variable) {
                    self.redactor.learn(secret);
                }
            }
        }
        let agents = loaded.agents.values().map(|agent| &agent.variables);
        let profiles = loaded.profiles.values().map(|profile| &profile.variables);
        for (name, value) in agents.chain(profiles).flatten() {
            if secrets::is_telling(name) {
                self.redactor.learn(value);
            }
        }
        Ok(self.configuration.get_or_init(|| loaded))
    }

    /// Returns the database, opened when first asked for.
    pub(crate) fn store(&self) -> Result<&Store, store::Error> {
        if let Some(open) = self.store.get() {
            return Ok(open);
        }
        let opened = Store::open(&self.environment.home())?;
        Ok(self.store.get_or_init(|| opened))
    }

    /// Begins to show progress.
    pub(crate) fn progress(&self, doing: &str) -> Progress {
        Progress::start(self.environment.has_terminal(), doing)
    }
}
