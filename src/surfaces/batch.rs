//! `batch`: many calls as JSON lines, each answered with its envelope.

use std::{io, sync::Arc};

use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufRead, AsyncWriteExt as _, BufReader},
    sync::{Semaphore, mpsc, watch},
};

use super::{
    lines::{LONGEST, Line, read_line},
    output,
    serve::Serve,
    session::Session,
    signals,
};
use crate::{
    contract::{
        Code, Envelope, Failure, Violation, Violations, details, text, unknown_primitive,
        validation::Checker,
    },
    registry::{self, Entry},
};

/// Answers that wait for a reader; with more than these, no further call is begun.
const WAITING: usize = 256;

/// Answers calls that come as JSON lines on standard input: `{"id": 1, "primitive": "poll-job", "input": {}}`.
///
/// Each is answered with one line: the envelope of the call, with `id` in front. Calls run at the same time and are answered
/// as they end, in any order. A line that is no call is answered like any failure, with its `id` where one can be read, else
/// null. At the end of the input what is under way is brought to its end, and the exit status is 0. Where the input cannot be
/// read any further, a last line says so, and the exit status is 1.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    /// How many calls may be under way at once.
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 256))]
    concurrency: usize,
}

const fn concurrency() -> usize {
    8
}

/// One call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Call {
    /// What the answer is to be known by.
    #[schemars(schema_with = "text_or_number")]
    id: Value,
    /// The primitive to call.
    primitive: String,
    /// Its input; left out, it is empty.
    #[serde(default)]
    input: Map<String, Value>,
}

fn text_or_number(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number"]})
}

/// The service.
pub(super) struct Batch {
    calls: Arc<Calls>,
    concurrency: usize,
}

/// What all calls need.
struct Calls {
    session: Session,
    checker: Checker,
}

impl Batch {
    /// Prepares it.
    pub(super) fn new(session: Session, options: &Options) -> Self {
        Self {
            calls: Arc::new(Calls {
                session,
                checker: Checker::new(schemars::schema_for!(Call).to_value()),
            }),
            concurrency: options.concurrency,
        }
    }

    /// Answers until the end of the input, or until a signal, and returns the exit code.
    async fn answer_all(
        self,
        mut reader: impl AsyncBufRead + Unpin,
        mut stop: watch::Receiver<Option<u8>>,
    ) -> u8 {
        let (answers, waiting) = mpsc::channel(WAITING);
        let writer = tokio::spawn(write(waiting));
        let places = Arc::new(Semaphore::new(self.concurrency));
        let mut code = 0;
        loop {
            let next = async {
                let line = read_line(&mut reader, LONGEST).await;
                let place = Arc::clone(&places).acquire_owned().await;
                (line, place)
            };
            let (line, place) = tokio::select! {
                biased;
                _signal = signals::taken(&mut stop) => break,
                next = next => next,
            };
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "cannot read the calls");
                    // Where the writer is gone, so is the reader of the answer.
                    let _unread = answers.send(self.calls.unreadable(&error)).await;
                    code = 1;
                    break;
                }
            };
            if matches!(&line, Line::Whole(bytes) if bytes.trim_ascii().is_empty()) {
                continue;
            }
            let (calls, answers, stop) = (Arc::clone(&self.calls), answers.clone(), stop.clone());
            let _answers_by_itself = tokio::spawn(async move {
                // Where the writer is gone, so is the reader of the answer.
                let _unread = answers.send(calls.answer(line, stop).await).await;
                drop(place);
            });
        }
        drop(answers);
        if let Err(error) = writer.await {
            tracing::error!(%error, "cannot write the answers");
        }
        let signal = *stop.borrow();
        signal.map_or(code, |signal| 128 + signal)
    }
}

impl Serve for Batch {
    fn serve(self: Box<Self>, runtime: &tokio::runtime::Runtime) -> u8 {
        let (tell, stop) = watch::channel(None);
        signals::on_signal(move |signal| {
            // Where nobody waits any more, all calls are answered already.
            let _all_answered = tell.send(Some(signal));
        });
        let reader = BufReader::with_capacity(1 << 16, tokio::io::stdin());
        runtime.block_on(self.answer_all(reader, stop))
    }
}

impl Calls {
    /// Answers one line.
    async fn answer(&self, line: Line, mut stop: watch::Receiver<Option<u8>>) -> Vec<u8> {
        let ongoing = self.session.begin();
        let (id, envelope) = match self.parse(&line) {
            Err(wrong) => (wrong.0, ongoing.refuse("", wrong.1)),
            Ok(call) => {
                let envelope = match Entry::find(&call.primitive) {
                    None => ongoing.refuse(
                        "",
                        unknown_primitive(&call.primitive, &registry::descriptions()),
                    ),
                    Some(entry) => tokio::select! {
                        biased;
                        signal = signals::taken(&mut stop) => {
                            let effect = ongoing.context.meter().halt();
                            let failure = signals::interrupted(signal).with_effect(effect);
                            ongoing.refuse(entry.about.name, failure)
                        }
                        envelope = ongoing.call(entry, Value::Object(call.input)) => envelope,
                    },
                };
                (call.id, envelope)
            }
        };
        written(&id, &envelope)
    }

    /// Makes the last answer, where the input cannot be read any further.
    fn unreadable(&self, error: &io::Error) -> Vec<u8> {
        let failure = Failure::new(
            Code::SpecUnreadable,
            format!("cannot read the calls from standard input: {error}"),
            "Send the calls that have no answer again, by a standard input that can be read.",
        )
        .with_details(details::File::new("-", error.to_string()).into());
        written(&Value::Null, &self.session.begin().refuse("", failure))
    }

    /// Reads a call; a failure comes with the id, where there is one.
    fn parse(&self, line: &Line) -> Result<Call, Box<(Value, Failure)>> {
        let refused = |keyword: &str, message: String| {
            let id = line.id().unwrap_or_default();
            Box::new((id, wrong(violation(keyword, message))))
        };
        let Line::Whole(bytes) = line else {
            let message = format!("the line is longer than {LONGEST} bytes");
            return Err(refused("maxLength", message));
        };
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| refused("json", format!("the line is not JSON: {error}")))?;
        let id = value
            .get("id")
            .filter(|id| id.is_string() || id.is_number())
            .cloned()
            .unwrap_or_default();
        let violations = self.checker.violations(&value);
        if !violations.is_empty() {
            return Err(Box::new((id, wrong(violations))));
        }
        serde_json::from_value(value)
            .map_err(|error| Box::new((id, wrong(violation("value", error.to_string())))))
    }
}

fn violation(keyword: &str, message: String) -> Violation {
    Violation::new("", keyword, message).expecting("object")
}

fn wrong(violations: impl Into<Violations>) -> Failure {
    let violations = violations.into();
    let message = violations.first().map_or_else(String::new, |first| {
        format!("the line is no call: {}", first.message())
    });
    Failure::new(
        Code::SpecInvalid,
        message,
        "Correct what details.violations names; details.skeleton is a valid line to start from.",
    )
    .with_details(
        details::Input::new(
            violations,
            Some(json!({"id": 1, "primitive": "capabilities", "input": {}})),
        )
        .into(),
    )
}

/// Writes an answer: the envelope, with the id in front.
fn written(id: &Value, envelope: &Envelope) -> Vec<u8> {
    let mut line = b"{\"id\":".to_vec();
    line.extend_from_slice(text::json(id.to_string()).as_bytes());
    line.push(b',');
    let envelope = text::json(serde_json::to_string(envelope).unwrap_or_default());
    line.extend_from_slice(envelope.get(1..).unwrap_or_default().as_bytes());
    line.push(b'\n');
    line
}

/// Writes answers as they come, as many at once as there are.
async fn write(mut answers: mpsc::Receiver<Vec<u8>>) {
    let mut stdout = tokio::io::stdout();
    let mut lines = Vec::new();
    while answers.recv_many(&mut lines, WAITING).await > 0 {
        let bytes = lines.concat();
        lines.clear();
        let written = async {
            stdout.write_all(&bytes).await?;
            stdout.flush().await
        };
        match written.await {
            Ok(()) => {}
            // Nobody is reading any more, which is no failure of any call.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => output::leave(0),
            Err(error) => {
                tracing::error!(%error, "cannot write the answers");
                output::leave(3);
            }
        }
    }
}
