//! One attempt of a task as a worker carries it out, by the kind of its work.

use std::sync::Arc;

use tokio::sync::watch;

use super::{call, caller::Caller, command, prompt, wish::Wish};
use crate::{
    domain::task::{Ending, Task},
    system::Context,
};

/// Carries out an attempt to its end; where another session left it, what there is of it is found first.
pub(super) async fn carry_out(
    context: &Context,
    caller: &Arc<dyn Caller>,
    task: &Task,
    mut wish: watch::Receiver<Wish>,
    is_adopted: bool,
) -> Ending {
    let is_local = task
        .spec
        .host
        .as_ref()
        .is_none_or(|host| host.as_str() == "local");
    if task.spec.call.is_some() {
        call::carry_out(context, caller, task, &mut wish, is_adopted).await
    } else if task.spec.prompt.is_none() && is_local {
        command::carry_out(context, task, &mut wish).await
    } else {
        prompt::carry_out(context, task, &mut wish).await
    }
}
