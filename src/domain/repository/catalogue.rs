//! Which repository a call means, by its input and by the configuration.

use super::{Error, Switches, Url};
use crate::{contract::Name, system::Context};

/// What a url must be.
const URL_RULE: &str =
    "a location git can clone from, without control characters or a leading dash";

/// What a reference must be.
const REFERENCE_RULE: &str = "a branch, a tag, a full ref name or a commit";

/// What a call gives of a repository; the configuration fills in the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spec {
    /// Where to clone it from.
    pub(crate) url: Option<String>,
    /// The branch, tag or commit to start from.
    pub(crate) reference: Option<String>,
    /// The profile that makes its environment.
    pub(crate) profile: Option<Name>,
}

/// A repository, with all that is to be known before anything is sent anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// Its name.
    pub(crate) name: Name,
    /// Where it is cloned from.
    pub(crate) url: Url,
    /// The branch, tag or commit to start from; the default branch where there is none.
    pub(crate) reference: Option<String>,
    /// The profile that makes its environment.
    pub(crate) profile: Name,
    /// The command that prepares each tree of it, in place of the profile's.
    pub(crate) prepare: Option<String>,
    /// What clones of it hold beside its own files.
    pub(crate) switches: Switches,
}

/// Finds out which repository is meant.
pub(crate) fn resolve(context: &Context, name: &Name, spec: Spec) -> Result<Repository, Error> {
    let configuration = context.configuration()?;
    let configured = configuration.repositories.get(name);
    let from_call = spec.url.is_some();
    let url = spec
        .url
        .or_else(|| configured.and_then(|it| it.url.clone()))
        .ok_or_else(|| Error::Unknown {
            name: name.clone(),
            known: configuration
                .repositories
                .keys()
                .map(Name::to_string)
                .collect(),
        })?;
    let place = |field: &'static str, from_call: bool| {
        if from_call {
            (None, format!("/{field}"))
        } else {
            (
                Some(context.environment().configuration_file()),
                format!("/repositories/{name}/{field}"),
            )
        }
    };
    let url = Url::parse(&url).ok_or_else(|| {
        let (configuration, pointer) = place("url", from_call);
        Error::Invalid {
            configuration,
            pointer,
            rule: URL_RULE,
        }
    })?;
    let from_call = spec.reference.is_some();
    let reference = spec
        .reference
        .or_else(|| configured.and_then(|it| it.reference.clone()));
    if let Some(text) = &reference
        && !is_reference(text)
    {
        let (configuration, pointer) = place("reference", from_call);
        return Err(Error::Invalid {
            configuration,
            pointer,
            rule: REFERENCE_RULE,
        });
    }
    let profile = spec
        .profile
        .or_else(|| configured.and_then(|it| it.profile.clone()))
        .unwrap_or_else(|| Name::fixed("generic"));
    Ok(Repository {
        name: name.clone(),
        url,
        reference,
        profile,
        prepare: configured.and_then(|it| it.prepare.clone()),
        switches: configured.map(Switches::of).unwrap_or_default(),
    })
}

/// Checks what a call itself gives of a repository, before anything is looked up.
pub(crate) fn check(url: Option<&str>, reference: Option<&str>) -> Result<(), Error> {
    let wrong = |field: &str, rule| Error::Invalid {
        configuration: None,
        pointer: format!("/{field}"),
        rule,
    };
    if url.is_some_and(|url| Url::parse(url).is_none()) {
        return Err(wrong("url", URL_RULE));
    }
    if reference.is_some_and(|text| !is_reference(text)) {
        return Err(wrong("reference", REFERENCE_RULE));
    }
    Ok(())
}

/// Returns the command that the configuration judges fixes of a repository by.
pub(crate) fn verify_command(context: &Context, name: &Name) -> Result<Option<String>, Error> {
    Ok(context
        .configuration()?
        .repositories
        .get(name)
        .and_then(|it| it.verify.clone()))
}

/// Returns what the configuration leaves out of the diffs of a repository: patterns as git reads them in an ignore file.
pub(crate) fn excludes(context: &Context, name: &Name) -> Result<Vec<String>, Error> {
    Ok(context
        .configuration()?
        .repositories
        .get(name)
        .map(|it| it.exclude.clone())
        .unwrap_or_default())
}

/// Returns whether the configuration wants the large files of the repository at a url.
pub(crate) fn wants_large_files(context: &Context, url: &Url) -> bool {
    context.configuration().is_ok_and(|configuration| {
        configuration.repositories.values().any(|repository| {
            let configured = repository.url.as_deref().and_then(Url::parse);
            repository.lfs && configured.is_some_and(|it| it.as_str() == url.as_str())
        })
    })
}

/// Returns whether git could take a text for the name of a ref or commit, and for nothing else.
fn is_reference(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && !text.starts_with(['-', '/', '.'])
        && !text.ends_with(['/', '.'])
        && !text.contains("..")
        && !text.contains("//")
        && !text.contains("@{")
        && text != "@"
        && !text.chars().any(|c| {
            c.is_control()
                || c.is_whitespace()
                || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\')
        })
}

#[cfg(test)]
mod tests {
    use super::is_reference;

    #[test]
    fn only_names_of_refs_are_references() {
        for good in [
            "main",
            "v1.0",
            "feature/a-b",
            "refs/pull/1/head",
            "0123abc",
            "ümlaut",
            "a$(b)",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in [
            "", "-f", "a b", "a\nb", "a..b", "a~1", "a^{}", "@{u}", "a:b", "a*", "/a", ".a",
            "a\\b", "@",
        ] {
            assert!(!is_reference(bad), "{bad:?}");
        }
    }
}
