//! Locks of this machine, each under a name: of all processes here one at a time does what the name stands for.

use std::path::PathBuf;

use super::{
    Context,
    files::{self, Error, Lock},
};

/// Waits for the lock of this name.
pub(crate) async fn lock(context: &Context, name: &str) -> Result<Lock, Error> {
    files::lock(&place(context, name)?).await
}

/// Takes the lock of this name where nobody holds it.
pub(crate) fn try_lock(context: &Context, name: &str) -> Result<Option<Lock>, Error> {
    let place = place(context, name)?;
    files::try_lock(&place).map_err(|source| Error::of(&place, source))
}

fn place(context: &Context, name: &str) -> Result<PathBuf, Error> {
    let folder = context.environment().home().join("locks");
    files::make_private_folder(&folder)?;
    Ok(folder.join(name))
}
