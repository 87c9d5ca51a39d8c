//! `check-config`: what is wrong with the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, ListedViolations, Reach},
    primitives::Primitive,
    system::{Context, configuration, files, store_setting},
};

/// Checks a configuration file: syntax, unknown keys with the nearest known one, values that do not fit.
///
/// What is wrong is data here, all of it at once, not a failure of this call.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The file to check; the one in force where none is given.
    #[serde(default)]
    #[schemars(extend("format" = "file-path"))]
    pub(crate) path: Option<String>,
}

/// What the check found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The file.
    pub(crate) path: String,
    /// Whether the file is there.
    pub(crate) exists: bool,
    /// Whether it can be used; a file that is not there can.
    pub(crate) valid: bool,
    /// The ways in which it is wrong, at most 50.
    pub(crate) violations: ListedViolations,
    /// How many more there are than are listed.
    pub(crate) omitted: u64,
}

/// Carries the declaration of `check-config`.
pub(crate) struct CheckConfig;

impl Primitive for CheckConfig {
    const NAME: &'static str = "check-config";
    const SUMMARY: &'static str = "Check a configuration file";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    const REACHES: &'static [(&'static str, Reach)] = &[("path", Reach::File)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input { path: None }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let path = match &input.path {
            Some(path) => context.environment().path(path),
            None => context.environment().configuration_file(),
        };
        let violations = match configuration::load(&path) {
            Ok(configuration) => store_setting::check(configuration.store.as_deref())
                .err()
                .unwrap_or_default(),
            Err(configuration::Error::Invalid { violations, .. }) => violations,
            Err(unreadable) => return Err(unreadable.into()),
        };
        let valid = violations.is_empty();
        let (violations, omitted) = violations.into_parts();
        Ok(Answer::read(Output {
            path: path.display().to_string(),
            exists: files::exists(&path),
            valid,
            violations,
            omitted,
        }))
    }
}
