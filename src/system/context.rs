//! All of the outside world in one bundle.

use std::{
    path::Path,
    sync::{Arc, Mutex, Once, OnceLock, PoisonError},
};

use super::{
    configuration, digest,
    environment::Environment,
    files::{self, Fingerprint},
    meter::Meter,
    progress::{Activity, Progress},
    secrets::{self, Redactor},
    store::{self, Schema, Store},
    store_setting::{self, StoreSetting},
    terminal::Terminal,
};
use crate::contract::{Description, configuration::Configuration};

/// What a call may reach of the outside world; each part is opened when it is first asked for.
#[derive(Debug)]
pub struct Context {
    shared: Arc<Shared>,
    meter: Meter,
    activity: Activity,
    configuration: OnceLock<Arc<Configuration>>,
    store: OnceLock<Arc<Store>>,
}

/// What the calls of one process share.
#[derive(Debug)]
struct Shared {
    environment: Environment,
    descriptions: fn() -> Vec<&'static Description>,
    schema: Schema,
    redactor: Redactor,
    secrets_learned: Once,
    configuration: Cached<Configuration>,
    store: Cached<Store>,
    /// The database of a server, and the digest of its URL.
    server: Mutex<Option<(String, Arc<Store>)>>,
}

/// What was made from a file, valid until the file changes.
#[derive(Debug)]
struct Cached<T>(Mutex<Option<(Fingerprint, Arc<T>)>>);

impl<T> Cached<T> {
    /// Returns the value where it was made.
    fn made(&self) -> Option<Arc<T>> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().map(|(_, made)| Arc::clone(made))
    }

    const fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    /// Returns the value made from the file, made anew where the file's fingerprint changed.
    fn get<E>(
        &self,
        fingerprint: impl Fn(&Path) -> Option<Fingerprint>,
        file: &Path,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = fingerprint(file);
        if let (Some(now), Some((then, made))) = (&before, cached.as_ref())
            && now == then
        {
            return Ok(Arc::clone(made));
        }
        let fresh = Arc::new(make()?);
        // `make` may create the file. But where the file changed while it was read, the value may be of the old
        // content and the fingerprint of the new one: such a value is not cached.
        let after = fingerprint(file);
        *cached = after
            .filter(|after| before.as_ref().is_none_or(|before| before == after))
            .map(|fingerprint| (fingerprint, Arc::clone(&fresh)));
        Ok(fresh)
    }
}

impl Context {
    /// Takes the environment of this process.
    ///
    /// `descriptions` says which primitives there are, `schema` which tables their nouns keep.
    pub(crate) fn of_process(
        descriptions: fn() -> Vec<&'static Description>,
        schema: Schema,
    ) -> Self {
        let environment = Environment::of_process();
        Self::of(Arc::new(Shared {
            redactor: Redactor::of_environment(&environment),
            secrets_learned: Once::new(),
            environment,
            descriptions,
            schema,
            configuration: Cached::nothing(),
            store: Cached::nothing(),
            server: Mutex::default(),
        }))
    }

    /// Makes one for another call of the same process: it shares all that is open, and is counted by itself.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::of(Arc::clone(&self.shared))
    }

    /// Uses a meter and an activity that were made before it.
    #[must_use]
    pub(crate) fn counted_by(self, meter: Meter, activity: Activity) -> Self {
        Self {
            meter,
            activity,
            ..self
        }
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            meter: Meter::default(),
            activity: Activity::default(),
            configuration: OnceLock::new(),
            store: OnceLock::new(),
        }
    }

    /// Returns what the call is busy with.
    pub const fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Returns the environment.
    pub(crate) fn environment(&self) -> &Environment {
        &self.shared.environment
    }

    /// Lists what is known of all primitives.
    pub(crate) fn descriptions(&self) -> Vec<&'static Description> {
        (self.shared.descriptions)()
    }

    /// Returns the record of what the call has done.
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Returns the redactor, which knows the secrets that the configuration names.
    pub fn redactor(&self) -> Redactor {
        if self.configuration.get().is_none() {
            self.shared.secrets_learned.call_once(|| {
                for variable in
                    configuration::secret_variables(&self.shared.environment.configuration_file())
                {
                    if let Some(secret) = self.shared.environment.get(&variable) {
                        self.shared.redactor.learn_variable(&variable, secret);
                    }
                }
                for secret in store_setting::secrets(&self.shared.environment) {
                    self.shared.redactor.learn(&secret);
                }
            });
        }
        self.shared.redactor.clone()
    }

    /// Masks one more secret in everything that is written.
    pub(crate) fn learn_secret(&self, secret: &str) {
        self.shared.redactor.learn(secret);
    }

    /// Returns the configuration, read when first asked for.
    pub(crate) fn configuration(&self) -> Result<&Configuration, configuration::Error> {
        if let Some(known) = self.configuration.get() {
            return Ok(known);
        }
        let file = self.shared.environment.configuration_file();
        let loaded = self
            .shared
            .configuration
            .get(files::fingerprint, &file, || self.load_configuration(&file))?;
        Ok(self.configuration.get_or_init(|| loaded))
    }

    fn load_configuration(&self, file: &Path) -> Result<Configuration, configuration::Error> {
        let loaded = configuration::load(file)?;
        for agent in loaded.agents.values() {
            for variable in agent.secrets.values() {
                if let Some(secret) = self.shared.environment.get(variable) {
                    self.shared.redactor.learn_variable(variable, secret);
                }
            }
        }
        let agents = loaded.agents.values().map(|agent| &agent.variables);
        let profiles = loaded.profiles.values().map(|profile| &profile.variables);
        for (name, value) in agents.chain(profiles).flatten() {
            if secrets::is_telling(name) {
                self.shared.redactor.learn_variable(name, value);
            }
        }
        Ok(loaded)
    }

    /// Returns whether there is a database, which opening would make.
    pub(crate) fn has_store(&self) -> bool {
        self.store.get().is_some()
            || match store_setting::read(&self.shared.environment) {
                Ok(StoreSetting::Embedded) => {
                    files::exists(&Store::file(&self.shared.environment.home()))
                }
                // Whoever asks it next is told what is wrong.
                Ok(StoreSetting::Server(_)) | Err(_) => true,
            }
    }

    /// Returns the database, opened when first asked for.
    pub(crate) fn store(&self) -> Result<&Store, store::Error> {
        if let Some(open) = self.store.get() {
            return Ok(open);
        }
        let opened = match store_setting::read(&self.shared.environment)? {
            StoreSetting::Embedded => {
                let home = self.shared.environment.home();
                self.shared
                    .store
                    .get(files::identity, &Store::file(&home), || {
                        Store::open(&home, self.shared.schema)
                    })?
            }
            StoreSetting::Server(url) => self.connected(&url)?,
        };
        Ok(self.store.get_or_init(|| opened))
    }

    /// Leaves the database as processes that make one call find it best; for a service, at its end.
    pub fn settle(&self) {
        let store = self.shared.store.made();
        if let Some(store) = store {
            store.settle();
        }
    }

    /// Returns the database of a server, which all calls of this process share.
    fn connected(&self, url: &str) -> Result<Arc<Store>, store::Error> {
        for secret in store::Address::passwords(url) {
            self.learn_secret(&secret);
        }
        let digest = digest::sha256(url.as_bytes());
        let mut known = self
            .shared
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((of, store)) = known.as_ref()
            && *of == digest
        {
            return Ok(Arc::clone(store));
        }
        let address = store::Address::parse(url).map_err(|error| store::Error::Address {
            file: self.shared.environment.configuration_file(),
            reason: error.to_string(),
        })?;
        let opened = Arc::new(Store::connect(address, self.shared.schema)?);
        *known = Some((digest, Arc::clone(&opened)));
        Ok(opened)
    }

    /// Looks at the terminal on standard error.
    pub fn terminal(&self) -> Terminal {
        Terminal::of(&self.shared.environment)
    }

    /// Begins to show progress.
    pub(crate) fn progress(&self, doing: &str) -> Progress {
        Progress::start(
            self.terminal(),
            self.activity.clone(),
            self.redactor(),
            doing,
        )
    }

    /// Begins to show that a machine is waited for, where nothing better is being shown.
    pub(crate) fn waiting_for(&self, machine: &str) -> Option<Progress> {
        self.activity
            .is_idle()
            .then(|| self.progress(&format!("waiting for {machine}")))
    }
}
