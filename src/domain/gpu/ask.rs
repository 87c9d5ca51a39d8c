//! How a host is asked about its GPUs: what every script of this noun stands on, and what may be the name of a GPU.

use super::Error;
use crate::{
    domain::host::{self, Facts},
    system::{Context, machine::Machine, script::Script},
};

/// What every script of this noun stands on.
const BASE: &str = concat!(
    include_str!("../host/report.sh"),
    include_str!("../../system/shell/process.sh"),
    "g_chosen=$1\nshift\n",
    include_str!("locks.sh"),
);

/// Makes a script of this noun for a host.
pub(super) fn script(
    machine: &Machine,
    body: &str,
    arguments: impl IntoIterator<Item = String>,
) -> Script {
    Script::new([BASE, body].concat())
        .argument(machine.gpu_locks.clone().unwrap_or_default())
        .arguments(arguments)
        .answer_limit(1 << 20)
}

/// Runs a script of this noun on a host and reads what it reports.
pub(super) async fn ask(
    context: &Context,
    machine: &Machine,
    script: Script,
) -> Result<Facts, Error> {
    let reply = machine
        .run(context, script)
        .await
        .map_err(|error| host::explain_failure(context, &machine.name, error))?;
    if reply.status != 0 {
        return Err(Error::Script {
            status: reply.status,
            stdout: reply.text(),
            stderr: reply.stderr,
        });
    }
    Ok(Facts::parse(&reply.text()))
}

/// Whether a text can be the permanent id of a GPU, which is also the name of a file there.
pub(super) fn is_uuid(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
}
