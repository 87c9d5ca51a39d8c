//! `add-hook`: have a program run, or an address told, when something happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{
        Answer, Code, Effect, Effects, Failure, Name, Next, Reach, Scope, Scoped, Violation,
        Violations,
    },
    domain::{
        hook::{self, Hook, Target},
        job, task,
    },
    primitives::Primitive,
    system::Context,
};

/// Adds a hook: for each event that it names, from now on, a program is run with the event as JSON on stdin, or the event is sent to an address by POST.
///
/// What is to be delivered is written together with the event and delivered behind it, at least once, by a process of its own: no call waits for a
/// hook, and none fails by one. A try that fails is repeated four times, after 1, 10, 60 and 300 seconds. `list-hooks` shows what came of it. The same call again is
/// a replay; a name that is taken by another hook is refused. Since it says what runs later, a person has to allow it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Its name.
    pub(crate) name: Name,
    /// The program and its arguments, passed on as they are; no shell sees them. Exactly one of `command` and `url` is given.
    #[serde(default)]
    #[schemars(length(max = 100), inner(length(max = 4096)))]
    pub(crate) command: Vec<String>,
    /// The address that is sent to.
    #[serde(default)]
    #[schemars(
        length(max = 2000),
        regex(pattern = r"^https?://[^\s/?#@]+([/?][^\s]*)?$")
    )]
    pub(crate) url: Option<String>,
    /// A file that its owner alone may read, by its absolute path, with the secret by which what is sent is signed: the header `X-Legwork-Signature-256` is
    /// `sha256=` and the HMAC-SHA256 of the body. It is read at each try.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    pub(crate) secret_file: Option<String>,
    /// Of which events it is told: `task.` or `job.` and a kind of `list-events`, or `*` for all of them.
    #[schemars(length(min = 1, max = 64))]
    pub(crate) events: Vec<String>,
    /// Only of tasks that have all of these labels; of no job then.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(crate) labels: Vec<Name>,
    /// Seconds that one try may take.
    #[serde(default = "try_s")]
    #[schemars(range(min = 1, max = 600))]
    pub(crate) try_s: u64,
    /// Whether only to report what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn try_s() -> u64 {
    30
}

/// What was added.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The hook's name.
    pub(crate) name: Name,
    /// Whether this call added it, or would have in a dry run.
    pub(crate) added: bool,
}

/// Carries the declaration of `add-hook`.
pub(crate) struct AddHook;

impl Primitive for AddHook {
    const NAME: &'static str = "add-hook";
    const SUMMARY: &'static str = "Have a program run, or an address told, when something happens";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::HookExists];
    // It says what runs later, and where events go, as the configuration does.
    const SCOPES: &'static [Scoped] = &[
        Scope::LocalWrite.always(),
        Scope::Configure.always(),
        Scope::RunCommand.where_given("command"),
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("command", Reach::Command),
        ("url", Reach::Address),
        ("secret_file", Reach::File),
        ("events", Reach::Data),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let program = Input {
            name: Name::fixed("on-failure"),
            command: ["notify-send", "a task failed"].map(str::to_owned).into(),
            url: None,
            secret_file: None,
            events: ["task.failed", "job.outcome"].map(str::to_owned).into(),
            labels: Vec::new(),
            try_s: try_s(),
            dry_run: false,
        };
        let address = Input {
            name: Name::fixed("board"),
            command: Vec::new(),
            url: Some("https://board.example.org/legwork".to_owned()),
            secret_file: Some("/home/me/.config/legwork/board.secret".to_owned()),
            events: vec!["task.*".to_owned()],
            labels: vec![Name::fixed("nightly")],
            try_s: 10,
            dry_run: false,
        };
        vec![program, address]
    }

    fn check(input: &Input) -> Violations {
        let mut wrong = Violations::default();
        let targets = usize::from(!input.command.is_empty()) + usize::from(input.url.is_some());
        if targets != 1 {
            wrong.push(
                Violation::new(
                    "",
                    "oneOf",
                    format!("{targets} of command and url are given"),
                )
                .expecting("exactly one of command and url"),
            );
        }
        if input.command.first().is_some_and(String::is_empty) {
            wrong.push(Violation::new(
                "/command/0",
                "format",
                "this names no program",
            ));
        }
        if let Some(file) = &input.secret_file {
            if input.url.is_none() {
                let message = "a secret signs what is sent to an address";
                wrong.push(
                    Violation::new("/secret_file", "dependentRequired", message).expecting("url"),
                );
            }
            if !file.starts_with('/') {
                let message = "whoever delivers may stand in another folder";
                wrong.push(
                    Violation::new("/secret_file", "format", message).expecting("an absolute path"),
                );
            }
        }
        for (index, event) in input.events.iter().enumerate() {
            let known = match event.split_once('.') {
                Some(("task", kind)) => kind == "*" || task::EVENT_KINDS.contains(&kind),
                Some(("job", kind)) => kind == "*" || job::EVENT_KINDS.contains(&kind),
                Some(_) | None => false,
            };
            if !known {
                let message = format!("there is no event {event:?}");
                wrong.push(
                    Violation::new(format!("/events/{index}"), "enum", message).expecting(format!(
                        "task.* or job.*, or one of task.{{{}}}, job.{{{}}}",
                        task::EVENT_KINDS.join(","),
                        job::EVENT_KINDS.join(",")
                    )),
                );
            }
        }
        wrong
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let target = match input.url {
            Some(url) => Target::Url {
                url,
                secret_file: input.secret_file,
            },
            None => Target::Command(input.command),
        };
        let mut hook = Hook {
            name: input.name,
            token: String::new(),
            target,
            events: input.events,
            labels: input.labels,
            try_s: input.try_s,
            added_at: String::new(),
        };
        hook.events.sort();
        hook.events.dedup();
        hook.labels.sort();
        hook.labels.dedup();
        let (hook, effect) = hook::add(context, hook, input.dry_run).await?;
        let output = Output {
            added: effect == Effect::Applied,
            name: hook.name.clone(),
        };
        let effect = if input.dry_run { Effect::None } else { effect };
        let mut answer = Answer::new(effect, output);
        if !input.dry_run {
            answer = answer.with_next(Next::new(
                "test-hook",
                json!({"name": hook.name, "request_id": "first"}),
                "see whether it works",
            ));
        }
        Ok(answer)
    }
}
