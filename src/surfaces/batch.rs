//! `batch`: many calls as JSON lines, each answered with its envelope.

use std::{io, sync::Arc};

use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    sync::{Semaphore, mpsc, watch},
};

use super::{outlet, services::Serve, session::Session};
use crate::{
    contract::{
        Code, Envelope, Failure, MAX_INPUT_BYTES, Violation, Violations, details, text,
        unknown_primitive, validation::Checker,
    },
    registry::{self, Entry},
};

/// A line longer than this is refused.
const LONGEST: usize = MAX_INPUT_BYTES as usize;

/// Answers that wait for a reader; with more than these, no further call is begun.
const WAITING: usize = 256;

/// Answers calls that come as JSON lines on standard input: `{"id": 1, "primitive": "poll-job", "input": {}}`.
///
/// Each is answered with one line: the envelope of the call, with `id` in front. Calls run at the same time and are answered
/// as they end, in any order. A line that is no call is answered like any failure, with its `id` where one can be read, else
/// null. At the end of the input what is under way is brought to its end, and the exit status is 0.
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
struct Line {
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
    desk: Arc<Desk>,
    concurrency: usize,
}

/// What all calls need.
struct Desk {
    session: Session,
    checker: Checker,
}

impl Batch {
    /// Prepares it.
    pub(super) fn new(session: Session, options: &Options) -> Self {
        Self {
            desk: Arc::new(Desk {
                session,
                checker: Checker::new(schemars::schema_for!(Line).to_value()),
            }),
            concurrency: options.concurrency,
        }
    }

    /// Answers until the end of the input, or until a signal, whose number is returned.
    async fn answer_all(
        self,
        mut reader: impl AsyncBufRead + Unpin,
        mut stop: watch::Receiver<Option<u8>>,
    ) -> Option<u8> {
        let (answers, waiting) = mpsc::channel(WAITING);
        let writer = tokio::spawn(write(waiting));
        let places = Arc::new(Semaphore::new(self.concurrency));
        loop {
            let next = async {
                let line = read_line(&mut reader, LONGEST).await;
                let place = Arc::clone(&places).acquire_owned().await;
                (line, place)
            };
            let (line, place) = tokio::select! {
                biased;
                _signal = signalled(&mut stop) => break,
                next = next => next,
            };
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "cannot read the calls");
                    break;
                }
            };
            if matches!(&line, Read::Whole(bytes) if bytes.trim_ascii().is_empty()) {
                continue;
            }
            let (desk, answers, stop) = (Arc::clone(&self.desk), answers.clone(), stop.clone());
            let _answers_by_itself = tokio::spawn(async move {
                // Where the writer is gone, so is whoever would have read the answer.
                let _unheard = answers.send(desk.answer(line, stop).await).await;
                drop(place);
            });
        }
        drop(answers);
        if let Err(error) = writer.await {
            tracing::error!(%error, "cannot write the answers");
        }
        *stop.borrow()
    }
}

impl Serve for Batch {
    fn serve(self: Box<Self>, runtime: &tokio::runtime::Runtime) -> u8 {
        let (tell, stop) = watch::channel(None);
        outlet::on_signal(move |signal| {
            // Where nobody waits any more, all is answered already.
            let _all_answered = tell.send(Some(signal));
        });
        let reader = BufReader::with_capacity(1 << 16, tokio::io::stdin());
        match runtime.block_on(self.answer_all(reader, stop)) {
            Some(signal) => 128 + signal,
            None => 0,
        }
    }
}

impl Desk {
    /// Answers one line.
    async fn answer(&self, line: Read, mut stop: watch::Receiver<Option<u8>>) -> Vec<u8> {
        let call = self.session.begin();
        let (id, envelope) = match self.parse(line) {
            Err(wrong) => (wrong.0, call.refuse("", wrong.1)),
            Ok(line) => {
                let envelope = match Entry::find(&line.primitive) {
                    None => call.refuse(
                        "",
                        unknown_primitive(&line.primitive, &registry::descriptions()),
                    ),
                    Some(entry) => tokio::select! {
                        biased;
                        signal = signalled(&mut stop) => {
                            let effect = call.context.meter().effect_of_failure();
                            let failure = outlet::interrupted(signal).with_effect(effect);
                            call.refuse(entry.about.name, failure)
                        }
                        envelope = call.call(entry, Value::Object(line.input)) => envelope,
                    },
                };
                (line.id, envelope)
            }
        };
        written(&id, &envelope)
    }

    /// Reads a call; a failure comes with the id, where there is one.
    fn parse(&self, line: Read) -> Result<Line, Box<(Value, Failure)>> {
        let bytes = match line {
            Read::Whole(bytes) => bytes,
            Read::TooLong => {
                let message = format!("the line is longer than {LONGEST} bytes");
                return Err(Box::new((
                    Value::Null,
                    wrong(vec![violation("maxLength", message)]),
                )));
            }
        };
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("the line is not JSON: {error}");
            Box::new((Value::Null, wrong(violation("json", message))))
        })?;
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
        "Mend what details.violations names; details.skeleton is a valid line to start from.",
    )
    .with_details(
        details::Input::new(
            violations,
            Some(json!({"id": 1, "primitive": "capabilities", "input": {}})),
        )
        .into(),
    )
}

/// Waits for a signal, and returns its number.
async fn signalled(stop: &mut watch::Receiver<Option<u8>>) -> u8 {
    let told = stop.wait_for(Option::is_some).await.ok();
    let signal = told.and_then(|signal| *signal);
    match signal {
        Some(signal) => signal,
        // None will come any more.
        None => std::future::pending().await,
    }
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
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => outlet::leave(0),
            Err(error) => {
                tracing::error!(%error, "cannot write the answers");
                outlet::leave(3);
            }
        }
    }
}

/// What was read of a line.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// All of it, without its end.
    Whole(Vec<u8>),
    /// It was too long, and is thrown away.
    TooLong,
}

/// Reads up to the next end of a line; nothing at the end of the input.
async fn read_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    longest: usize,
) -> io::Result<Option<Read>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            let nothing = line.is_empty() && !too_long;
            return Ok((!nothing).then(|| ended(line, too_long)));
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available.get(..end.unwrap_or(available.len()));
        let part = part.unwrap_or_default();
        too_long |= line.len() + part.len() > longest;
        if too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(ended(line, too_long)));
        }
    }
}

fn ended(line: Vec<u8>, too_long: bool) -> Read {
    if too_long {
        Read::TooLong
    } else {
        Read::Whole(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Read, read_line};

    #[tokio::test]
    async fn lines_of_any_length_end_where_they_end() {
        let mut input: &[u8] = b"one\n\n0123456789\ntwo\nlast";
        let mut read = Vec::new();
        while let Some(line) = read_line(&mut input, 5).await.expect("readable") {
            read.push(line);
        }
        let whole = |text: &str| Read::Whole(text.into());
        assert_eq!(
            read,
            [
                whole("one"),
                whole(""),
                Read::TooLong,
                whole("two"),
                whole("last")
            ]
        );
    }
}
