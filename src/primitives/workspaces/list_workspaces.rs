//! `list-workspaces`: which repositories are ready where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Name, Pager, Reach},
    domain::workspace,
    primitives::Primitive,
    system::Context,
};

/// Lists the workspaces that `provision-workspace` made from this machine, as they were then.
///
/// Looks into the database here only; whether one is still whole on its host is for `check-workspace` to find out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only those on this host.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// Only those of this repository.
    #[serde(default)]
    pub(crate) repository: Option<Name>,
    /// How many to return at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 500))]
    pub(crate) limit: u32,
    /// Where to go on: `next_cursor` of the answer before, with the same filters.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
}

const fn fifty() -> u32 {
    50
}

/// A part of the list, by host and repository.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The workspaces.
    pub(crate) workspaces: Vec<Workspace>,
    /// What to send as `cursor` for the next part; null where this is the last.
    pub(crate) next_cursor: Option<Cursor>,
}

/// A workspace as it is known here.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Workspace {
    /// The host.
    pub(crate) host: Name,
    /// The repository.
    pub(crate) repository: Name,
    /// Whether all of it was there when it was last provisioned.
    pub(crate) ready: bool,
    /// The first step that was missing; null where it is ready.
    pub(crate) missing_step: Option<String>,
    /// Where the seed was cloned from, without secrets.
    pub(crate) url: String,
    /// The ref that was asked for; null for the default branch.
    pub(crate) reference: Option<String>,
    /// The commit that jobs start from; null where it is not ready.
    pub(crate) base_commit: Option<String>,
    /// The profile.
    pub(crate) profile: Name,
    /// When it last changed, as far as is known here (RFC 3339, UTC).
    pub(crate) updated_at: String,
}

/// Carries the declaration of `list-workspaces`.
pub(crate) struct ListWorkspaces;

impl Primitive for ListWorkspaces {
    const NAME: &'static str = "list-workspaces";
    const SUMMARY: &'static str = "List the workspaces made from this machine";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("gpu-box")),
            repository: None,
            limit: 20,
            cursor: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &json!([input.host, input.repository]));
        let after = input
            .cursor
            .map(|cursor| pager.position(&cursor))
            .transpose()?;
        let page = workspace::list(
            context,
            input.host.as_ref(),
            input.repository.as_ref(),
            input.limit,
            after.as_ref(),
        )?;
        let workspaces = page
            .workspaces
            .into_iter()
            .map(|known| Workspace {
                host: known.host,
                ready: known.record.is_some(),
                missing_step: known.missing,
                base_commit: known.record.map(|record| record.base_commit),
                repository: known.specification.repository,
                url: known.specification.url,
                reference: known.specification.reference,
                profile: known.specification.profile,
                updated_at: known.updated_at,
            })
            .collect();
        let mut answer = Answer::read(Output {
            workspaces,
            next_cursor: page.next.map(|last| pager.cursor(&last)),
        });
        answer.warnings.extend(page.warnings);
        Ok(answer)
    }
}
