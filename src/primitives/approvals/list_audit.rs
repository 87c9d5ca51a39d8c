//! `list-audit`: what was asked of people, what they decided, and what then ran.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Pager, Reach},
    domain::audit::{self, Event, Head, Verified},
    primitives::Primitive,
    system::Context,
};

/// Lists what was asked of people, what they decided, and what then ran, newest first.
///
/// Entries are only ever appended, and each holds the digest of the one before, so that one which was changed, taken out or
/// moved is found by `verify`. Who can write the database can write the whole log anew, with digests that fit: note `head.digest`
/// somewhere else from time to time, and send it as `known_digest`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Whether to read the whole log and say whether it is as it was written.
    #[serde(default)]
    pub(crate) verify: bool,
    /// A digest that stood in the log before; with it the log is verified too, and has to hold it still.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub(crate) known_digest: Option<String>,
    /// How many entries to list.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub(crate) limit: u32,
    /// Where to go on: `next_cursor` of the answer before.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
}

const fn limit() -> u32 {
    50
}

/// The entries.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The entries, newest first.
    pub(crate) entries: Vec<Entry>,
    /// What to send as `cursor` for the next part; null where this is the last.
    pub(crate) next_cursor: Option<Cursor>,
    /// The newest entry, by which the log as it is now can be known again; null where there is none.
    pub(crate) head: Option<Head>,
    /// Whether the log is as it was written; null where that was not asked.
    pub(crate) verified: Option<Verified>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entry {
    /// Its number, one more than that of the entry before.
    pub(crate) number: i64,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
    /// What happened.
    pub(crate) event: Event,
    /// By what it was done: `terminal` or `key` for a person, `caller` for a call.
    pub(crate) by: String,
    /// The login of who did it, as its environment says.
    pub(crate) user: String,
    /// The request or authorization that it happened to.
    pub(crate) subject: String,
    /// Facts about it.
    pub(crate) facts: Map<String, Value>,
    /// Its digest, which the next entry holds.
    pub(crate) digest: String,
}

/// Carries the declaration of `list-audit`.
pub(crate) struct ListAudit;

impl Primitive for ListAudit {
    const NAME: &'static str = "list-audit";
    const SUMMARY: &'static str = "List what people decided and what then ran";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("verify", Reach::Data),
        ("known_digest", Reach::Data),
        ("cursor", Reach::Data),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            verify: true,
            known_digest: None,
            limit: limit(),
            cursor: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &json!([]));
        let before = input
            .cursor
            .map(|cursor| pager.position(&cursor))
            .transpose()?;
        let found = audit::list(context, before, input.limit)?;
        let warnings = found.warnings();
        let verified = (input.verify || input.known_digest.is_some())
            .then(|| audit::verify(context, input.known_digest.as_deref()))
            .transpose()?;
        let mut answer = Answer::read(Output {
            next_cursor: found
                .last_number()
                .filter(|_| found.more)
                .map(|number| pager.cursor(&number)),
            entries: found
                .read
                .into_iter()
                .map(|(entry, digest)| Entry {
                    number: entry.number,
                    at: entry.at,
                    event: entry.event,
                    by: entry.by,
                    user: entry.user,
                    subject: entry.subject,
                    facts: entry.facts,
                    digest,
                })
                .collect(),
            head: audit::head(context)?,
            verified,
        });
        answer.warnings.extend(warnings);
        Ok(answer)
    }
}
