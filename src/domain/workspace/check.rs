//! Looking at a workspace on its host.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Error, Specification, environment::environment_script, record, state::evidence};
use crate::{
    contract::Name,
    domain::{host, repository},
    system::{
        Context,
        records::{Malformed, records},
        script::Script,
        script_failure::ScriptFailure,
        shell,
    },
};

/// What a look at one fact showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
    /// Bytes that mirror, seed and environment take.
    pub(crate) used_bytes: Option<u64>,
    /// Bytes that are free beside them.
    pub(crate) free_bytes: Option<u64>,
    /// Clones of jobs that borrow from the mirror.
    pub(crate) clones: Option<u64>,
    /// The first step that was missing when it was last provisioned.
    pub(crate) missing: Option<String>,
    /// The input of the `provision-workspace` that completes it.
    pub(crate) completing_input: Value,
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
        shell::PROCESS,
        &environment_script(None, &specification.variables()),
        include_str!("modules.sh"),
        include_str!("facts.sh"),
        include_str!("check.sh"),
    ]
    .join("\n");
    let script = Script::new(body)
        .look()
        .argument(name.as_str())
        .argument(known_store(specification, known.record.as_ref()))
        .argument(&*specification.url)
        .argument(
            known
                .record
                .as_ref()
                .map_or("", |record| record.base_commit.as_str()),
        )
        .argument(command.unwrap_or(""))
        .argument(limit.to_string())
        .argument(
            known
                .record
                .as_ref()
                .and_then(|record| record.mirror.as_deref())
                .unwrap_or("-"),
        );
    let reply = machine.run(context, script).await?;
    let checked = parse(&machine.name, &reply.text())
        .map_err(|error| ScriptFailure::at(&machine.name, "check", &reply, error))?;
    Ok(Checked {
        missing: known.missing,
        completing_input: specification.input(&machine.name),
        ..checked
    })
}

/// Returns the store that environments are made from as it was recorded, `?` where none was, and `-` where none is needed.
fn known_store<'a>(specification: &Specification, record: Option<&'a record::Record>) -> &'a str {
    if specification.has_environment() {
        record
            .and_then(|record| record.environment.as_deref())
            .unwrap_or("?")
    } else {
        "-"
    }
}

/// The most facts that are taken from a host.
const FACTS: usize = 50;

/// Reads what `check.sh` printed.
fn parse(host: &Name, text: &str) -> Result<Checked, Malformed> {
    let mut checked = Checked {
        host: host.clone(),
        facts: Vec::new(),
        used_bytes: None,
        free_bytes: None,
        clones: None,
        missing: None,
        completing_input: Value::Null,
    };
    for record in records(text) {
        match record.tag() {
            "fact" if checked.facts.len() < FACTS => checked.facts.push(Fact {
                name: record.plain("name")?,
                status: record.one_of(
                    "status",
                    &[
                        ("pass", Status::Pass),
                        ("warn", Status::Warn),
                        ("fail", Status::Fail),
                        ("skipped", Status::Skipped),
                        ("unknown", Status::Unknown),
                    ],
                )?,
                evidence: evidence(&record.decoded("evidence")?),
            }),
            "disk" => {
                checked.used_bytes = bytes(record.optional_number("used_kib")?);
                checked.free_bytes = bytes(record.optional_number("free_kib")?);
            }
            "clones" => checked.clones = Some(record.number("count")?),
            _ => record.ignored(),
        }
    }
    if checked.facts.is_empty() {
        return Err(Malformed::without("fact", text));
    }
    Ok(checked)
}

/// Returns a number of kibibytes, which is what `df` and `du` print, in bytes.
fn bytes(kibibytes: Option<u64>) -> Option<u64> {
    kibibytes?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::{Status, parse};
    use crate::contract::Name;

    #[test]
    fn the_facts_are_read() {
        let host = Name::fixed("box");
        let checked = parse(
            &host,
            "fact name=seed status=pass evidence=@aGk=\nfact name=disk status=unknown evidence=@\n\
             disk used_kib=12 free_kib=-\nclones count=3\n\nnoise\n",
        )
        .expect("facts");
        assert_eq!(checked.facts.len(), 2);
        assert_eq!(checked.facts[0].status, Status::Pass);
        assert_eq!(checked.facts[0].evidence, "hi");
        assert_eq!(checked.facts[1].status, Status::Unknown);
        assert_eq!(
            (checked.used_bytes, checked.free_bytes),
            (Some(12 * 1024), None)
        );
        assert_eq!(checked.clones, Some(3));
        assert!(parse(&host, "fact name=seed status=fine evidence=@\n").is_err());
        assert!(parse(&host, "noise\n").is_err());
        let many = "fact name=seed status=pass evidence=@\n".repeat(1000);
        assert_eq!(parse(&host, &many).expect("facts").facts.len(), 50);
    }
}
