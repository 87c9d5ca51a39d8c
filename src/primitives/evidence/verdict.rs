//! What `verify-fix` and `check-diff` take and show alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Failure, JobId},
    domain::{
        investigation,
        job::{CaveatKind, Check, Verdict, Verified},
        verification::CheckSpec,
    },
    system::Context,
};

/// The longest code of a check that is shown, in characters.
const TEXT_CHARS: usize = 65_536;

/// What the verdict must be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Require {
    /// The fix is verified, and no caveat blocks that is not accepted.
    Fixed,
}

/// A check that would be run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlannedCheck {
    /// The check.
    pub(crate) check: Check,
    /// The code of its file, at most 65,536 characters.
    pub(crate) text: Option<String>,
}

pub(crate) const fn limit_s() -> u64 {
    600
}

pub(crate) const fn attempt() -> u32 {
    1
}

/// Fails where a verification did not find the fix, or with caveats that nobody accepted.
pub(super) fn require(
    required: Option<Require>,
    job_id: Option<&JobId>,
    verified: Option<&Verified>,
    accept: &[CaveatKind],
) -> Result<(), Failure> {
    let (Some(Require::Fixed), Some(verified)) = (required, verified) else {
        return Ok(());
    };
    let caveats = blocked_by(Some(verified), accept);
    if verified.verdict == Verdict::Fixed && caveats.is_empty() {
        return Ok(());
    }
    let is_fixed = verified.verdict == Verdict::Fixed;
    Err(investigation::Error::Unmet {
        job_id: job_id.cloned(),
        verdict: verified.verdict.name(),
        reason: verified.reason.clone(),
        caveats: caveats
            .into_iter()
            .filter(|_| is_fixed)
            .map(CaveatKind::name)
            .collect(),
    }
    .into())
}

/// Returns the kinds of caveats that block and are not accepted.
pub(super) fn blocked_by(verified: Option<&Verified>, accept: &[CaveatKind]) -> Vec<CaveatKind> {
    let caveats = verified
        .into_iter()
        .flat_map(|verified| verified.blocking(accept));
    caveats.map(|caveat| caveat.kind).collect()
}

/// Shows checks with the code that they run.
pub(super) fn plan(context: &Context, checks: &[CheckSpec]) -> Vec<PlannedCheck> {
    let redactor = context.redactor();
    checks
        .iter()
        .map(|check| PlannedCheck {
            check: check.describe(&redactor),
            text: check.file.as_ref().map(|(_, bytes)| {
                let text = String::from_utf8_lossy(bytes);
                redactor.text(&text).chars().take(TEXT_CHARS).collect()
            }),
        })
        .collect()
}
