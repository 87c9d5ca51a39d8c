//! Which profiles there are, and what each comes to with what it extends.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Error;
use crate::{
    contract::{Name, configuration::Profile},
    system::{Context, environment::is_variable},
};

/// Where a profile is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// legwork itself.
    BuiltIn,
    /// The configuration file.
    Configuration,
}

/// A profile with all that it extends filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) name: Name,
    /// Where it is known from.
    pub(crate) origin: Origin,
    /// What it comes to.
    pub(crate) settings: Profile,
}

type Profiles = BTreeMap<Name, Profile>;

/// Lists all profiles; the configuration's own win over built-in ones of the same name.
pub(crate) fn list(context: &Context) -> Result<Vec<Listed>, Error> {
    let configured = &context.configuration()?.profiles;
    let built_in = built_in()?;
    let mut names: Vec<&Name> = configured.keys().chain(built_in.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| find(context, configured, &built_in, name))
        .collect()
}

/// Finds a profile by name.
pub(crate) fn resolve(context: &Context, name: &Name) -> Result<Listed, Error> {
    find(
        context,
        &context.configuration()?.profiles,
        &built_in()?,
        name,
    )
}

fn built_in() -> Result<Profiles, Error> {
    toml::from_str(include_str!("built_in.toml")).map_err(Error::BuiltIn)
}

fn find(
    context: &Context,
    configured: &Profiles,
    built_in: &Profiles,
    name: &Name,
) -> Result<Listed, Error> {
    let origin = if configured.contains_key(name) {
        Origin::Configuration
    } else {
        Origin::BuiltIn
    };
    let settings = merged(configured, built_in, name).map_err(|unresolved| match unresolved {
        Unresolved::Unknown { by: None, name } => Error::Unknown {
            name,
            known: configured
                .keys()
                .chain(built_in.keys())
                .map(Name::to_string)
                .collect(),
        },
        Unresolved::Unknown { by: Some(by), name } => Error::Invalid {
            file: context.environment().configuration_file(),
            pointer: format!("/profiles/{by}/extends"),
            reason: format!("there is no profile {name}"),
        },
        Unresolved::Circle(by) => Error::Invalid {
            file: context.environment().configuration_file(),
            pointer: format!("/profiles/{by}/extends"),
            reason: "the profiles extend each other in a circle".to_owned(),
        },
        Unresolved::Variable { by, variable } => Error::Invalid {
            file: context.environment().configuration_file(),
            pointer: format!("/profiles/{by}/variables"),
            reason: format!("{variable:?} is not the name of a variable"),
        },
    })?;
    Ok(Listed {
        name: name.clone(),
        origin,
        settings,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Unresolved {
    Unknown { by: Option<Name>, name: Name },
    Circle(Name),
    Variable { by: Name, variable: String },
}

/// Fills in what a profile extends. One that extends its own name means the built-in one.
fn merged(configured: &Profiles, built_in: &Profiles, name: &Name) -> Result<Profile, Unresolved> {
    let mut visited: Vec<&Name> = Vec::new();
    let mut chain: Vec<&Profile> = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next {
        let own = configured.get(name).filter(|_| !visited.contains(&name));
        let Some(profile) = own.or_else(|| built_in.get(name)) else {
            return Err(match visited.last() {
                Some(by) if visited.contains(&name) => Unresolved::Circle((*by).clone()),
                by => Unresolved::Unknown {
                    by: by.copied().cloned(),
                    name: name.clone(),
                },
            });
        };
        if let Some(variable) = profile.variables.keys().find(|it| !is_variable(it)) {
            return Err(Unresolved::Variable {
                by: name.clone(),
                variable: variable.clone(),
            });
        }
        chain.push(profile);
        visited.push(name);
        next = profile.extends.as_ref().filter(|_| own.is_some());
    }
    Ok(chain
        .into_iter()
        .rev()
        .fold(Profile::default(), |base, own| Profile {
            summary: own.summary.clone().or(base.summary),
            extends: own.extends.clone(),
            environment: own.environment.or(base.environment),
            python: own.python.clone().or(base.python),
            packages: chosen(&own.packages, base.packages),
            requirements: chosen(&own.requirements, base.requirements),
            extras: chosen(&own.extras, base.extras),
            groups: chosen(&own.groups, base.groups),
            install: own.install.or(base.install),
            install_arguments: chosen(&own.install_arguments, base.install_arguments),
            setup: own.setup.clone().or(base.setup),
            prepare: own.prepare.clone().or(base.prepare),
            smoke: own.smoke.clone().or(base.smoke),
            variables: base
                .variables
                .into_iter()
                .chain(own.variables.clone())
                .collect(),
        }))
}

fn chosen(own: &[String], base: Vec<String>) -> Vec<String> {
    if own.is_empty() { base } else { own.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::{Profiles, Unresolved, built_in, merged};
    use crate::contract::{
        Name,
        configuration::{Environment, Install},
    };

    fn configured(text: &str) -> Profiles {
        toml::from_str(text).expect("profiles")
    }

    #[test]
    fn what_is_not_set_comes_from_what_is_extended() {
        let own = configured(
            "[lab]\nextends = 'base'\npackages = ['numpy']\n[lab.variables]\nA = '1'\n\
             [base]\nextends = 'python-uv'\npython = '3.12'\npackages = ['torch']\nsetup = 'make'\n",
        );
        let lab = merged(&own, &built_in().expect("built-in"), &Name::fixed("lab")).expect("lab");
        assert_eq!(lab.environment, Some(Environment::Uv));
        assert_eq!(lab.install, Some(Install::Editable));
        assert_eq!(lab.python.as_deref(), Some("3.12"));
        assert_eq!(lab.packages, ["numpy"]);
        assert_eq!(lab.setup.as_deref(), Some("make"));
        assert_eq!(lab.variables.get("A").map(String::as_str), Some("1"));
        assert!(lab.variables.contains_key("VIRTUAL_ENV"));
    }

    #[test]
    fn its_own_name_means_the_built_in_one() {
        let own = configured("[python-uv]\nextends = 'python-uv'\npython = '3.13'\n");
        let it = merged(
            &own,
            &built_in().expect("built-in"),
            &Name::fixed("python-uv"),
        )
        .expect("it");
        assert_eq!(it.python.as_deref(), Some("3.13"));
        assert_eq!(it.environment, Some(Environment::Uv));
    }

    #[test]
    fn circles_and_strangers_are_named() {
        let built_in = built_in().expect("built-in");
        let circle = configured("[a]\nextends = 'b'\n[b]\nextends = 'a'\n");
        assert_eq!(
            merged(&circle, &built_in, &Name::fixed("a")),
            Err(Unresolved::Circle(Name::fixed("b")))
        );
        let stranger = configured("[a]\nextends = 'x'\n");
        assert_eq!(
            merged(&stranger, &built_in, &Name::fixed("a")),
            Err(Unresolved::Unknown {
                by: Some(Name::fixed("a")),
                name: Name::fixed("x")
            })
        );
        let hostile = configured("[a.variables]\n'A;touch x' = ''\n");
        assert!(matches!(
            merged(&hostile, &built_in, &Name::fixed("a")),
            Err(Unresolved::Variable { .. })
        ));
    }
}
