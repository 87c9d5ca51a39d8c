//! Which database is meant: `LEGWORK_STORE`, else `store` in the configuration, else the embedded one.

use super::{
    configuration,
    environment::Environment,
    store::{self, Address, BadAddress},
};
use crate::contract::{Violation, Violations};

/// The variable that wins over the configuration.
pub(crate) const VARIABLE: &str = "LEGWORK_STORE";

/// What stands before the name of a variable that holds the URL.
const REFERENCE: &str = "env:";

/// Which database is meant.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreSetting {
    /// The file below the home.
    Embedded,
    /// The server of this URL, which may hold a password.
    Server(String),
}

/// Returns which database is meant.
pub(crate) fn read(environment: &Environment) -> Result<StoreSetting, store::Error> {
    let file = environment.configuration_file();
    let written = match environment.get(VARIABLE) {
        Some(written) => Some(written.to_owned()),
        None => configuration::named_store(&file)?,
    };
    let Some(written) = written else {
        return Ok(StoreSetting::Embedded);
    };
    match written.strip_prefix(REFERENCE) {
        None => Ok(StoreSetting::Server(written)),
        Some(variable) => match environment.get(variable) {
            Some(url) => Ok(StoreSetting::Server(url.to_owned())),
            None => Err(store::Error::Address {
                file,
                reason: format!("the environment variable {variable} is not set"),
            }),
        },
    }
}

/// Says what is wrong with the setting, without a look at the server or at the variable that it names.
pub(crate) fn check(written: Option<&str>) -> Result<(), Violations> {
    let found = match written.map(|written| (written, written.strip_prefix(REFERENCE))) {
        None => Ok(()),
        Some((url, None)) => Address::parse(url).map(drop),
        Some((_, Some(""))) => Err(BadAddress::Malformed),
        Some((_, Some(_variable))) => Ok(()),
    };
    found.map_err(|reason| Violation::new("/store", "store", reason.to_string()).into())
}

/// Returns what the variable may be set to where others can read it: a URL with a password is left to a variable that a person sets.
pub(crate) fn without_secret(environment: &Environment) -> Option<String> {
    let written = environment.get(VARIABLE)?;
    Some(if Address::passwords(written).is_empty() {
        written.to_owned()
    } else {
        format!("{REFERENCE}LEGWORK_DATABASE")
    })
}

/// Lists what of the setting must never be shown.
pub(crate) fn secrets(environment: &Environment) -> Vec<String> {
    match read(environment) {
        Ok(StoreSetting::Server(url)) => Address::passwords(&url),
        Ok(StoreSetting::Embedded) | Err(_) => Vec::new(),
    }
}
