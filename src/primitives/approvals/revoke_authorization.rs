//! `revoke-authorization`: take back what was granted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AuthorizationView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Scope, Scoped},
    domain::authorization,
    primitives::Primitive,
    system::Context,
};

/// Takes back what was granted: from now on it lets nothing through.
///
/// A call that has begun runs to its end; one that was let through and has not begun waits for a person again. It needs no
/// terminal and no key, because it lets nothing happen.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The authorization.
    pub(crate) authorization_id: Name,
    /// Whether only to report what would be taken back.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// The authorization as it stands now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The authorization.
    pub(crate) authorization: AuthorizationView,
}

/// Carries the declaration of `revoke-authorization`.
pub(crate) struct RevokeAuthorization;

impl Primitive for RevokeAuthorization {
    const NAME: &'static str = "revoke-authorization";
    const SUMMARY: &'static str = "Take back what was granted";
    const EFFECTS: Effects = Effects::REMOVES;
    const CODES: &'static [Code] = &[Code::AuthorizationUnknown];
    // Nobody's leave is needed to be left with less.
    const SCOPES: &'static [Scoped] = Scope::NONE;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            authorization_id: Name::fixed("grant-0123456789abcdef"),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let id = &input.authorization_id;
        let (authorization, effect) = authorization::revoke(context, id, input.dry_run).await?;
        Ok(Answer::new(
            effect,
            Output {
                authorization: authorization.into(),
            },
        ))
    }
}
