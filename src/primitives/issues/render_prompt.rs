//! `render-prompt`: what an agent would be told.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Reach, Timeout, Violations},
    domain::{
        investigation::{self, Brief},
        issue::{self, IssueRef},
        prompt,
    },
    primitives::Primitive,
    system::Context,
};

/// Shows the prompt that an agent would get for an issue, a message, or both.
///
/// Text written by strangers stands in marked blocks that it cannot close, and every character that shows nothing or
/// misleads is marked as `<U+200B>`. Text that does not fit into `max_bytes` is left out and listed in `dropped`. The ids
/// that only a launch knows are shown as `<job_id>` and `<base_commit>`, so the prompt of a launch has another digest.
/// `templates/<name>.md` beside the configuration file replaces a built-in template or adds one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The template.
    #[serde(default = "template")]
    pub(crate) template: Name,
    /// The issue: `owner/name#12`, the URL of its page, or a Markdown or JSON file on this machine.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "path"))]
    pub(crate) issue: Option<String>,
    /// What to do, in words; given with an issue, it adds to it.
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// A shell command that fails while the problem is there and passes once it is solved.
    #[serde(default)]
    #[schemars(length(min = 1, max = 65536))]
    pub(crate) verify: Option<String>,
    /// The repository; its name is also a hint for which code in the issue matters.
    #[serde(default)]
    pub(crate) repository: Option<Name>,
    /// The largest size of the prompt, in bytes.
    #[serde(default = "max_bytes")]
    #[schemars(range(min = 1024, max = 8_388_608))]
    pub(crate) max_bytes: usize,
    /// Seconds for which a cached answer is used without asking the forge; 0 always asks.
    #[serde(default = "max_age_s")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub(crate) max_age_s: u64,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

fn template() -> Name {
    Name::fixed("investigate")
}

const fn max_bytes() -> usize {
    prompt::MAX_BYTES
}

const fn max_age_s() -> u64 {
    300
}

/// A prompt.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The text.
    pub(crate) text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub(crate) sha256: String,
    /// The size of the text, in bytes.
    pub(crate) size_bytes: usize,
    /// Text that was left out to stay within `max_bytes`.
    pub(crate) dropped: Vec<Dropped>,
    /// The file in the job's folder that would hold the code from the issue.
    pub(crate) repro_file: Option<String>,
}

/// A text that was left out of a prompt, in whole or in part.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Dropped {
    /// Which text: `comment 3`, `body`, `repro`.
    pub(crate) part: String,
    /// How many bytes of it were left out.
    pub(crate) size_bytes: usize,
}

/// Carries the declaration of `render-prompt`.
pub(crate) struct RenderPrompt;

impl Primitive for RenderPrompt {
    const NAME: &'static str = "render-prompt";
    const SUMMARY: &'static str = "Show what an agent would be told";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[
        Code::IssueNotFound,
        Code::IssueInvalid,
        Code::ForgeUnauthenticated,
        Code::ForgeForbidden,
        Code::ForgeRateLimited,
        Code::ForgeUnavailable,
        Code::ForgeUnknown,
        Code::TemplateUnknown,
        Code::TemplateInvalid,
        Code::PromptTooLarge,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("issue", Reach::Issue),
        ("message", Reach::Data),
        ("verify", Reach::Data),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |issue: Option<&str>, message: Option<&str>| Input {
            template: template(),
            issue: issue.map(str::to_owned),
            message: message.map(str::to_owned),
            verify: Some("python3 -m unittest -q tests.test_cart".to_owned()),
            repository: Some(Name::fixed("widgets")),
            max_bytes: max_bytes(),
            max_age_s: max_age_s(),
            timeout_s: Timeout::default(),
        };
        vec![
            example(
                None,
                Some("The total of an empty cart is None; it must be 0."),
            ),
            example(Some("acme/widgets#12"), None),
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        match &input.issue {
            Some(reference) => Violations::found_by(IssueRef::parse(reference)),
            None => Violations::found_by(investigation::check_message(input.message.as_deref())),
        }
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let issue = match &input.issue {
            Some(reference) => Some(issue::fetch(context, reference, input.max_age_s).await?),
            None => None,
        };
        let repository = input
            .repository
            .as_ref()
            .map_or("<repository>", Name::as_str);
        let brief = Brief {
            template: &input.template,
            job_id: "<job_id>",
            repository,
            base: "<base_commit>",
            verify: input.verify.as_deref(),
            message: input.message.as_deref(),
            offers: &[],
            max_bytes: input.max_bytes,
        };
        let rendered = investigation::render_prompt(context, &brief, issue.as_ref())?;
        let prompt = rendered.prompt;
        let dropped = prompt.dropped.into_iter().map(|one| Dropped {
            part: one.part,
            size_bytes: one.bytes,
        });
        Ok(Answer::read(Output {
            sha256: prompt.sha256,
            size_bytes: prompt.bytes,
            dropped: dropped.collect(),
            text: prompt.text,
            repro_file: rendered.repro.map(|repro| repro.file),
        }))
    }
}
