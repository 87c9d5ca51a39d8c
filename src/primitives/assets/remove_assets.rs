//! `remove-assets`: take away what `install-assets` brought.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::written::{Output, directory};
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Scope, Scoped},
    domain::asset::{self, Change, Target},
    primitives::Primitive,
    system::Context,
};

/// Takes away what `install-assets` brought: the files, the hook's entry in `settings.json`, or the marked block.
///
/// Only what is as legwork left it is removed. What a person edited stays, is reported as `kept`, and is no failure.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// What they were installed into.
    pub(crate) target: Target,
    /// The project's folder, for targets other than `user`; the current folder where none is given.
    #[serde(default = "directory")]
    #[schemars(length(min = 1, max = 4096), extend("format" = "directory-path"))]
    pub(crate) directory: String,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `remove-assets`.
pub(crate) struct RemoveAssets;

impl Primitive for RemoveAssets {
    const NAME: &'static str = "remove-assets";
    const SUMMARY: &'static str = "Remove what install-assets brought";
    const EFFECTS: Effects = Effects::REMOVES;
    const CODES: &'static [Code] = &[Code::AssetUnwritable];
    const REACHES: &'static [(&'static str, Reach)] = &[("directory", Reach::Place)];
    // What a person edited stays, and install-assets brings the rest back.
    const SCOPES: &'static [Scoped] = Scope::OF_LOCAL_CHANGES;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            target: Target::ClaudeMd,
            directory: directory(),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let dry_run = input.dry_run;
        let request = asset::Request {
            target: input.target,
            directory: input.directory,
            hook: false,
            overwrite: Vec::new(),
            dry_run,
        };
        let written = asset::remove(context, &request).await?;
        let output = Output::of(&written, dry_run);
        let mut answer = Answer::new(written.effect, output);
        let kept = answer
            .data
            .files
            .iter()
            .filter(|file| file.change == Change::Kept)
            .count();
        if kept > 0 {
            answer = answer.with_warning(format!("{kept} files were edited, and stay"));
        }
        Ok(answer)
    }
}
