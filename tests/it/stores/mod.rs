//! The database: embedded, or on a server that many machines share; the same contract over both.

mod gone;
mod machines;
mod power;
mod shared;
mod turns;

use std::sync::Arc;

use serde_json::Value;

use crate::support::{Call, Postgres, Workplace, World};

/// A place whose calls keep what they know on a server, ready for jobs on this machine.
fn workplace_on(server: &Arc<Postgres>) -> (Workplace, String) {
    let mut world = World::new();
    let url = world.keep_in(server);
    let place = Workplace::empty_in(world);
    place.provision("local", &place.world().home());
    (place, url)
}

/// A world whose calls keep what they know on a server.
fn world_on(server: &Arc<Postgres>) -> (World, String) {
    let mut world = World::new();
    let url = world.keep_in(server);
    (world, url)
}

/// Returns a fact of a refusal; null where there is none.
fn detail(call: &Call, pointer: &str) -> Value {
    call.details().pointer(pointer).cloned().unwrap_or_default()
}
