//! `install-assets`: give agents what they need to use legwork.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::written::{Output, directory};
use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Scope, Scoped, Violations},
    domain::asset::{self, Target},
    primitives::Primitive,
    system::Context,
};

/// Installs what other agents need to use legwork: slash commands and a skill for Claude Code as files, or a block of
/// instructions in a file that any agent reads; or the unit of a worker for the user's own systemd, which
/// `systemctl --user enable --now legwork-worker` starts.
///
/// What is there already and as legwork left it is brought up to date; the same call again changes nothing. A file or
/// block that a person edited, or that is not from legwork, is never overwritten unless it is named in `overwrite`: then
/// nothing at all is written, and the failure lists all of them. `dry_run` shows every change as a diff. No link is
/// followed out of the folder.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// What to install into.
    pub(crate) target: Target,
    /// The project's folder, for targets other than `user` and `systemd_user`; the current folder where none is given.
    #[serde(default = "directory")]
    #[schemars(length(min = 1, max = 4096), extend("format" = "directory-path"))]
    pub(crate) directory: String,
    /// Whether to install the Stop hook too, and to name it in `settings.json`: while jobs that a conversation launched
    /// are active, it does not end without having said how they are watched. For `user` and `project`.
    #[serde(default)]
    pub(crate) hook: bool,
    /// Edited files to give up, by their paths in the answer.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(crate) overwrite: Vec<String>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Carries the declaration of `install-assets`.
pub(crate) struct InstallAssets;

impl Primitive for InstallAssets {
    const NAME: &'static str = "install-assets";
    const SUMMARY: &'static str = "Install slash commands, skill or instructions";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::AssetEdited, Code::AssetUnknown, Code::AssetUnwritable];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("directory", Reach::Place), ("overwrite", Reach::Data)];
    // What a person wrote into a file that is overwritten is gone.
    const SCOPES: &'static [Scoped] = &[
        Scope::LocalWrite.always(),
        Scope::Destructive.where_given("overwrite"),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |target, hook| Input {
            target,
            directory: directory(),
            hook,
            overwrite: Vec::new(),
            dry_run: false,
        };
        vec![
            example(Target::User, true),
            example(Target::AgentsMd, false),
        ]
    }

    fn check(input: &Input) -> Violations {
        Violations::found_by(asset::check_hook(input.target, input.hook))
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let dry_run = input.dry_run;
        let request = asset::Request {
            target: input.target,
            directory: input.directory,
            hook: input.hook,
            overwrite: input.overwrite,
            dry_run,
        };
        let written = asset::install(context, &request).await?;
        Ok(Answer::new(written.effect, Output::of(&written, dry_run)))
    }
}
