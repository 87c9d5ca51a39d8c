//! Locks under a name: of all processes of this machine, or of all who share the store, one at a time does what it stands for.

use std::path::PathBuf;

use super::{
    Context,
    files::{self, Error, Lock},
    store::{self, Hold},
};

/// A lock among all who share the store, until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    _here: Lock,
    _everywhere: Hold,
}

/// Waits for the lock of this name.
pub(crate) async fn lock(context: &Context, name: &str) -> Result<Lock, Error> {
    files::lock(&place(context, name)?).await
}

/// Takes the lock of this name where nobody holds it.
pub(crate) fn try_lock(context: &Context, name: &str) -> Result<Option<Lock>, Error> {
    let place = place(context, name)?;
    files::try_lock(&place).map_err(|source| Error::of(&place, source))
}

/// Waits for the lock of this name among all who share the store.
///
/// First come those of this machine, who wait in turn, so that one of them at a time asks the server.
pub(crate) async fn everywhere(context: &Context, name: &str) -> Result<Guard, store::Error> {
    Ok(Guard {
        _here: lock(context, name).await.map_err(store::Error::Folder)?,
        _everywhere: context.store()?.hold(name).await?,
    })
}

/// Takes the lock of this name where nobody who shares the store holds it.
pub(crate) async fn try_everywhere(
    context: &Context,
    name: &str,
) -> Result<Option<Guard>, store::Error> {
    let Some(here) = try_lock(context, name).map_err(store::Error::Folder)? else {
        return Ok(None);
    };
    let held = context.store()?.try_hold(name).await?;
    Ok(held.map(|everywhere| Guard {
        _here: here,
        _everywhere: everywhere,
    }))
}

fn place(context: &Context, name: &str) -> Result<PathBuf, Error> {
    let folder = context.environment().home().join("locks");
    files::make_private_folder(&folder)?;
    Ok(folder.join(name))
}
