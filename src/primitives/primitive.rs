//! The one trait a primitive implements.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Scope, Scoped, Violations},
    system::Context,
};

/// One thing a caller can ask for.
///
/// Its chapter is the one under which the registry lists it; what to know about it stands in the comment of its input
/// type, because that is where an agent reads the documentation.
pub(crate) trait Primitive: 'static {
    /// Kebab-case, verb first; names the schemas, the page, the tool and the command.
    const NAME: &'static str;
    /// One line, imperative, no full stop.
    const SUMMARY: &'static str;
    /// What a call may change.
    const EFFECTS: Effects;
    /// Every code `run` may return besides those that any call may, and those of [`Self::NEEDS_HOST`].
    const CODES: &'static [Code];
    /// Whether it fails, with any of [`Code::of_hosts`], where a host gives no answer.
    const NEEDS_HOST: bool = false;
    /// The fields of its input whose texts may hold NUL, because they are data and go nowhere else.
    const TAKES_NUL: &'static [&'static str] = &[];
    /// What the fields of its input reach. Every field that takes a text of the caller's own choosing stands here, and where
    /// it only reads every switch, too: a test finds those that do not.
    const REACHES: &'static [(&'static str, Reach)] = &[];
    /// What kinds of changes its calls make, for which a person may have to give leave. Only where its effects say too much or
    /// too little does a primitive say so itself.
    const SCOPES: &'static [Scoped] = Scope::of_effects(Self::EFFECTS);
    /// Whether only a person may call it, at a terminal or with a key: no service offers it.
    const NEEDS_PERSON: bool = false;
    /// Whether its call stands for another one, which the one door lets through in its place before `run`.
    const RESUMES: bool = false;
    /// What the caller sends. A field `timeout_s` is a [`crate::contract::Timeout`].
    type Input: DeserializeOwned + Serialize + JsonSchema + Send;
    /// What the caller gets.
    type Output: Serialize + JsonSchema + Send;

    /// Returns calls worth showing; the docs show them and the tests send them.
    fn examples() -> Vec<Self::Input>;

    /// Lists what is wrong with an input that fits its schema: rules that hold between fields, and those that no schema
    /// can say. What depends on anything but the input is for `run` to find.
    fn check(_input: &Self::Input) -> Violations {
        Violations::default()
    }

    /// Returns how long a call with this input may take as a whole, after which it is `deadline_exceeded`; nothing where
    /// it only looks at this machine and ends by itself.
    fn limit(_input: &Self::Input) -> Option<Duration> {
        None
    }

    /// Does the thing.
    fn run(
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Answer<Self::Output>, Failure>> + Send;
}
