//! A limit on the sessions that all processes of this user have open on one host.

use std::{path::Path, time::Duration};

use crate::system::{clock, files};

/// Waits for one of `slots` places and holds it until the lock is dropped.
///
/// A stock sshd refuses the eleventh session of a connection; the places are lock files, so a process that dies
/// gives its place back.
pub(super) async fn place(base: &Path, slots: u8) -> Result<files::Lock, files::Error> {
    let mut wait = Duration::from_millis(2);
    // Starting at different places keeps many processes from all trying the first one first.
    let start = u8::try_from(std::process::id() % u32::from(slots.max(1))).unwrap_or(0);
    loop {
        for step in 0..slots.max(1) {
            let slot = (start + step) % slots.max(1);
            let path = base.with_extension(format!("slot{slot}"));
            let taken = files::try_lock(&path).map_err(|source| files::Error::of(&path, source))?;
            if let Some(lock) = taken {
                return Ok(lock);
            }
        }
        clock::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(30));
    }
}
