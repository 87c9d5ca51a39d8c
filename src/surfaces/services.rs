//! The services: ways in that take many calls in one process.

use std::{
    ffi::OsString,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use schemars::Schema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{batch, dispatch, flags, mcp, output, serve::Serve, session::Session, worker};
use crate::{
    contract::{Code, Failure, Violation, Violations, details, validation},
    registry::input_schema,
    system::{Context, limits},
};

/// All services.
pub(super) static SERVICES: &[Service] = &[
    Service {
        name: "serve-mcp",
        summary: "Offer the primitives as tools over the Model Context Protocol, on stdin and stdout",
        options: input_schema::<mcp::Options>,
        start: |session, fields| Ok(Box::new(mcp::Server::new(session, &read(fields)?)?)),
    },
    Service {
        name: "batch",
        summary: "Answer calls that come as JSON lines on stdin",
        options: input_schema::<batch::Options>,
        start: |session, fields| Ok(Box::new(batch::Batch::new(session, &read(fields)?))),
    },
    Service {
        name: "run-worker",
        summary: "Take tasks out of the queue and carry them out",
        options: input_schema::<worker::Options>,
        start: |session, fields| Ok(Box::new(worker::Worker::new(session, read(fields)?))),
    },
];

/// A way in that takes many calls in one process.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name, which stands where the name of a primitive would.
    pub(super) name: &'static str,
    /// One line on it.
    pub(super) summary: &'static str,
    options: fn() -> Schema,
    start: Start,
}

/// Makes a service out of its options.
type Start = fn(Session, Map<String, Value>) -> Result<Box<dyn Serve>, Violations>;

impl Service {
    /// Finds a service by name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name)
    }

    /// Returns the schema of its options.
    pub(super) fn schema(&self) -> Value {
        (self.options)().to_value()
    }

    /// Returns what there is to know about it: the comment of its options.
    pub(super) fn documentation(&self) -> String {
        self.schema()
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or(self.summary)
            .to_owned()
    }

    /// Serves, and returns the exit code. Where it cannot start, or breaks down, it prints one line that says why.
    pub(super) fn run(&self, context: &Context, arguments: Vec<OsString>, since: Instant) -> u8 {
        let session = Session::new(context.fork());
        let served = self.start(session, arguments).and_then(|service| {
            limits::check_processes()?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| limits::Exceeded::of(&error))?;
            let served = catch_unwind(AssertUnwindSafe(|| service.serve(&runtime)));
            // Another thread may be reading standard input, and dropping the runtime would wait for it.
            runtime.shutdown_background();
            context.settle();
            served.map_err(|panic| limits::panicked(panic.as_ref()))
        });
        served.unwrap_or_else(|failure| {
            let envelope = dispatch::refusal(context, self.name, failure, since);
            output::answer(&envelope, None)
        })
    }

    fn start(&self, session: Session, arguments: Vec<OsString>) -> Result<Box<dyn Serve>, Failure> {
        let schema = self.schema();
        flags::parse_fields(self.name, &schema, arguments)
            .and_then(|fields| {
                let options = Value::Object(fields.clone());
                match validation::violations(&schema, &options) {
                    found if found.is_empty() => (self.start)(session, fields),
                    found => Err(found),
                }
            })
            .map_err(|violations| {
                let message = violations.first().map_or_else(String::new, |first| {
                    format!("the flags are wrong: {}", first.message())
                });
                Failure::new(
                    Code::SpecInvalid,
                    message,
                    format!(
                        "Correct what details.violations names; legwork {} --help shows the flags.",
                        self.name
                    ),
                )
                .with_details(details::Input::new(violations, None).into())
            })
    }
}

fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Violations> {
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| Violation::new("", "value", error.to_string()).into())
}
