//! Which calls need leave, as the configuration says.

use serde_json::Value;

use super::error::Error;
use crate::{
    contract::{Description, Scope},
    system::{Context, files},
};

/// Lists the scopes of a call for which leave is needed; none where it may simply run.
///
/// The configuration is read only for calls that change something, and where it cannot be read none of them runs.
pub(super) fn needed(
    context: &Context,
    about: &Description,
    input: &Value,
) -> Result<Vec<Scope>, Error> {
    let mut scopes = about.scopes_of(input);
    if scopes.is_empty() {
        return Ok(scopes);
    }
    let required = context.configuration()?.authorization.required();
    scopes.retain(|scope| required.contains(scope));
    Ok(scopes)
}

/// Returns whether a call needs leave.
pub(crate) fn is_needed(
    context: &Context,
    about: &Description,
    input: &Value,
) -> Result<bool, Error> {
    Ok(!needed(context, about, input)?.is_empty())
}

/// Returns whether work in any of these scopes needs a grant.
pub(crate) fn any_is_needed(context: &Context, scopes: &[Scope]) -> Result<bool, Error> {
    let required = context.configuration()?.authorization.required();
    Ok(scopes.iter().any(|scope| required.contains(scope)))
}

/// Returns whether a person can grant by a key.
pub(crate) fn has_key(context: &Context) -> Result<bool, Error> {
    Ok(context.configuration()?.authorization.key_sha256.is_some())
}

/// Bytes that a file with a key may have.
pub(super) const KEY_FILE_LIMIT: u64 = 4096;

/// Reads the file that the configuration says holds the key; nothing where it names none, or there is none.
pub(super) fn key_of_file(context: &Context) -> Result<Option<String>, Error> {
    let Some(name) = &context.configuration()?.authorization.key_file else {
        return Ok(None);
    };
    let path = context.environment().path(name);
    if !files::exists(&path) {
        return Ok(None);
    }
    let unusable = |found: String| Error::Unverified {
        reason: "key_unusable",
        found,
    };
    if !files::is_private(&path) {
        return Err(unusable(format!(
            "others than its owner may read {}, so it proves nothing",
            path.display()
        )));
    }
    let bytes = files::read_regular(&path, KEY_FILE_LIMIT)
        .map_err(|error| unusable(format!("{} cannot be read: {error}", path.display())))?;
    Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
}
