//! Looking at a workspace on its host.

use serde_json::Value;

use super::{Error, exports, record, state::decoded};
use crate::{
    contract::Name,
    domain::{host, repository},
    system::{Context, script::Script},
};

/// What a look at one fact showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is as it should be.
    Pass,
    /// It does no harm yet.
    Warn,
    /// It is not as it should be.
    Fail,
    /// It could not be found out.
    Unknown,
    /// It was not looked at.
    Skipped,
}

/// One fact about a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// Its name.
    pub(crate) name: String,
    /// What the look showed.
    pub(crate) status: Status,
    /// What was seen.
    pub(crate) evidence: String,
}

/// All that a look at a workspace showed.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The host.
    pub(crate) host: Name,
    /// The facts.
    pub(crate) facts: Vec<Fact>,
    /// Kibibytes that clone, worktrees' state and environment take.
    pub(crate) used_kib: Option<u64>,
    /// Kibibytes that are free beside them.
    pub(crate) free_kib: Option<u64>,
    /// Worktrees of the clone, and those of them whose folder is gone.
    pub(crate) worktrees: Option<(u64, u64)>,
    /// The first step that was missing when it was last provisioned.
    pub(crate) missing: Option<String>,
    /// The input of the `provision-workspace` that mends it.
    pub(crate) mending: Value,
}

/// Looks at the workspace of a repository on a host, in one round trip, changing nothing.
pub(crate) async fn check(
    context: &Context,
    host: Option<&Name>,
    name: &Name,
    smoke: bool,
    limit: u64,
) -> Result<Checked, Error> {
    let machine = host::resolve(context, host)?;
    let known = record::find(context, &machine.name, name)?.ok_or_else(|| Error::NotFound {
        host: machine.name.clone(),
        repository: name.clone(),
    })?;
    let specification = &known.specification;
    let command = specification.settings.smoke.as_deref().filter(|_| smoke);
    let body = [
        repository::GIT,
        include_str!("facts.sh"),
        "set_variables() {\n:",
        &exports(&specification.settings.variables),
        "}",
        include_str!("check.sh"),
    ]
    .join("\n");
    let script = Script::new(body)
        .argument(name.as_str())
        .argument(
            specification
                .environment()
                .unwrap_or_else(|| "-".to_owned()),
        )
        .argument(&*specification.url)
        .argument(
            known
                .record
                .as_ref()
                .map_or("", |record| record.base_commit.as_str()),
        )
        .argument(command.unwrap_or(""))
        .argument(limit.to_string());
    let reply = machine.run(context, script).await?;
    let text = reply.text();
    let checked = Checked {
        missing: known.missing,
        mending: specification.input(&machine.name),
        ..parse(&machine.name, &text)
    };
    if checked.facts.is_empty() {
        return Err(Error::Script {
            host: machine.name,
            step: "check",
            exit: i64::from(reply.status),
            stdout: text,
            stderr: reply.stderr,
        });
    }
    Ok(checked)
}

/// Reads what `check.sh` printed.
fn parse(host: &Name, text: &str) -> Checked {
    let mut checked = Checked {
        host: host.clone(),
        facts: Vec::new(),
        used_kib: None,
        free_kib: None,
        worktrees: None,
        missing: None,
        mending: Value::Null,
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["fact", name, status, evidence] => checked.facts.push(Fact {
                name: (*name).to_owned(),
                status: match *status {
                    "pass" => Status::Pass,
                    "warn" => Status::Warn,
                    "fail" => Status::Fail,
                    "skipped" => Status::Skipped,
                    _ => Status::Unknown,
                },
                evidence: decoded(evidence),
            }),
            ["disk", used, free] => {
                checked.used_kib = used.parse().ok();
                checked.free_kib = free.parse().ok();
            }
            ["worktrees", count, stale] => {
                checked.worktrees = count.parse().ok().zip(stale.parse().ok());
            }
            _ => {}
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::{Status, parse};
    use crate::contract::Name;

    #[test]
    fn what_check_says() {
        let checked = parse(
            &Name::fixed("box"),
            "fact seed pass aGk=\nfact disk odd -\ndisk 12 -\nworktrees 3 1\n\nnoise\n",
        );
        assert_eq!(checked.facts.len(), 2);
        assert_eq!(checked.facts[0].status, Status::Pass);
        assert_eq!(checked.facts[0].evidence, "hi");
        assert_eq!(checked.facts[1].status, Status::Unknown);
        assert_eq!((checked.used_kib, checked.free_kib), (Some(12), None));
        assert_eq!(checked.worktrees, Some((3, 1)));
    }
}
