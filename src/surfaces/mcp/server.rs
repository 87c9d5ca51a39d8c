//! The server: requests in, envelopes out.

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities,
        ServerConfig, Tool,
    },
    service::{RequestContext, ServerInitializeError, serve_server},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::{
    options::{Mode, Options},
    tool::{self, CallInput, ListInput},
    tool_filter::ToolFilter,
    transport::Lines,
};
use crate::{
    contract::{
        Answer, Code, Envelope, Failure, Violation, Violations, details, text, unknown_primitive,
    },
    registry::{Entry, Grants},
    surfaces::{
        dispatch,
        serve::Serve,
        session::{Ongoing, Session},
        signals,
    },
    system::clock,
};

/// How often a progress notification is sent to a client that asked for them.
const TICK: Duration = Duration::from_secs(1);

/// How long answers to calls that a signal has ended may take to be read.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// The instructions for the use of the server, for the model behind the client.
const INSTRUCTIONS: &str = "Every tool answers with an envelope. `ok` says whether the call did what was asked; \
    the state of a job is data, not a failure of the call. On `ok: false` go by `error_code` and `kind`, send the same call again \
    only where `retry_safe` is true, and do what `remediation` says. `next` holds the calls that usually follow, filled in.";

/// The server.
pub(in crate::surfaces) struct Server {
    session: Session,
    filter: ToolFilter,
    mode: Mode,
    tools: OnceLock<Vec<Tool>>,
    /// The number of the signal that is to end the process, once it has come.
    stop: watch::Receiver<Option<u8>>,
    /// The sending side; taken once the server answers signals.
    stopper: Mutex<Option<watch::Sender<Option<u8>>>>,
}

/// What a tool call asks for.
enum Asked {
    List(ListInput),
    Primitive(&'static Entry, Map<String, Value>),
}

/// Why a tool call goes no further.
enum Stopped {
    /// The client broke the protocol.
    Fault(ErrorData),
    /// The call is answered with a failure, in the name of a primitive or tool.
    Failed(String, Box<Failure>),
}

impl Server {
    /// Prepares it.
    pub(in crate::surfaces) fn new(
        session: Session,
        options: &Options,
    ) -> Result<Self, Violations> {
        let grants = if options.allow_mutations {
            Grants::OF_PROGRAMS
        } else {
            Grants::reading(options.files.iter().map(PathBuf::from).collect())
        };
        let (stopper, stop) = watch::channel(None);
        Ok(Self {
            filter: ToolFilter::new(&options.only, grants.clone())?,
            session: session.granting(grants),
            mode: options.mode,
            tools: OnceLock::new(),
            stop,
            stopper: Mutex::new(Some(stopper)),
        })
    }

    fn tools(&self) -> &[Tool] {
        self.tools.get_or_init(|| {
            let frame = tool::Frame::new();
            let of = |entry| tool::of(entry, &frame);
            match self.mode {
                Mode::Full => self.filter.shown().map(of).collect(),
                Mode::Compact => {
                    let mut offered = vec![tool::list(&frame)];
                    offered.extend(Entry::find("describe").map(of));
                    offered.push(tool::call(&self.filter, &frame));
                    offered
                }
            }
        })
    }

    fn asked(&self, named: &str, arguments: Map<String, Value>) -> Result<Asked, Stopped> {
        match (self.mode, named) {
            (Mode::Full, name) => self.primitive(name, arguments, true),
            (Mode::Compact, "list") => read(named, arguments).map(Asked::List),
            (Mode::Compact, "describe") => Entry::find("describe")
                .map(|entry| Asked::Primitive(entry, arguments))
                .ok_or_else(|| Stopped::Fault(no_tool(named))),
            (Mode::Compact, "call") => {
                let call: CallInput = read(named, arguments)?;
                self.primitive(&call.primitive, call.input, false)
            }
            (Mode::Compact, _) => Err(Stopped::Fault(no_tool(named))),
        }
    }

    fn primitive(
        &self,
        name: &str,
        input: Map<String, Value>,
        is_tool: bool,
    ) -> Result<Asked, Stopped> {
        if let Some(entry) = self.filter.find(name) {
            return Ok(Asked::Primitive(entry, input));
        }
        if is_tool {
            return Err(Stopped::Fault(no_tool(name)));
        }
        let known: Vec<_> = self.filter.shown().map(|entry| &entry.about).collect();
        let failure = unknown_primitive(name, &known);
        Err(Stopped::Failed(String::new(), Box::new(failure)))
    }

    fn listing(&self, call: &Ongoing<'_>, input: &ListInput) -> Envelope {
        let listed = tool::listing(&self.filter, input).and_then(|listing| {
            serde_json::value::to_raw_value(&listing)
                .map_err(|error| Failure::internal(error.to_string()))
        });
        match listed {
            Ok(data) => {
                dispatch::success(&call.context, "list", true, Answer::read(data), call.since)
            }
            Err(failure) => call.refuse("list", failure),
        }
    }
}

fn no_tool(name: &str) -> ErrorData {
    let name: String = name.chars().take(100).collect();
    ErrorData::invalid_params(format!("there is no tool {name:?}"), None)
}

/// Reads the arguments of one of the three tools of the compact mode.
fn read<T: DeserializeOwned>(tool: &str, arguments: Map<String, Value>) -> Result<T, Stopped> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        let failure = Failure::new(
            Code::SpecInvalid,
            format!("the input of {tool} is wrong: {error}"),
            "Correct what details.violations names.",
        )
        .with_details(
            details::Input::new(Violation::new("", "value", error.to_string()), None).into(),
        );
        Stopped::Failed(tool.to_owned(), Box::new(failure))
    })
}

fn result(envelope: &Envelope) -> Result<CallToolResponse, ErrorData> {
    let structured = serde_json::to_value(envelope)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let text = vec![ContentBlock::text(text::json(structured.to_string()))];
    let mut result = match envelope {
        Envelope::Success(_) => CallToolResult::success(text),
        Envelope::Refusal(_) => CallToolResult::error(text),
    };
    result.structured_content = Some(structured);
    Ok(result.into())
}

/// Sends the client a progress notification every second, where it asked for them.
async fn notify(client: &RequestContext<RoleServer>, call: &Ongoing<'_>, name: &str) -> Infallible {
    let Some(token) = client.meta.get_progress_token() else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(TICK);
    ticks.tick().await;
    for seconds in 1_u32.. {
        ticks.tick().await;
        let doing = call.context.activity().now();
        let doing = doing.unwrap_or_else(|| format!("{name} is under way"));
        let doing = call.context.redactor().text(&doing).into_owned();
        let progress =
            ProgressNotificationParam::new(token.clone(), f64::from(seconds)).with_message(doing);
        if client.peer.notify_progress(progress).await.is_err() {
            // The client is gone; the end of the connection ends the call.
            break;
        }
    }
    std::future::pending().await
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("legwork", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = self.session.begin();
        let mut stop = self.stop.clone();
        let arguments = request.arguments.unwrap_or_default();
        let envelope = match self.asked(&request.name, arguments) {
            Err(Stopped::Fault(fault)) => return Err(fault),
            Err(Stopped::Failed(name, failure)) => call.refuse(&name, *failure),
            Ok(Asked::List(input)) => self.listing(&call, &input),
            Ok(Asked::Primitive(entry, input)) => tokio::select! {
                biased;
                signal = signals::taken(&mut stop) => {
                    let effect = call.context.meter().halt();
                    call.refuse(entry.about.name, signals::interrupted(signal).with_effect(effect))
                }
                // The call ends where it stands. Nobody waits for this answer.
                () = context.ct.cancelled() => {
                    return Err(ErrorData::internal_error("the client cancelled the call", None));
                }
                envelope = call.call(entry, Value::Object(input)) => envelope,
                never = notify(&context, &call, entry.about.name) => match never {},
            },
        };
        result(&envelope)
    }
}

impl Serve for Server {
    fn serve(self: Box<Self>, runtime: &tokio::runtime::Runtime) -> u8 {
        let stopper = self
            .stopper
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        signals::on_signal(move |signal| {
            // Where nobody waits any more, all calls are answered already.
            let _all_answered = stopper.map(|stopper| stopper.send(Some(signal)));
        });
        let mut stop = self.stop.clone();
        runtime.block_on(async {
            let lines = Lines::open();
            let calls = lines.calls();
            let mut serving = std::pin::pin!(to_the_end(*self, lines));
            let code = tokio::select! {
                biased;
                signal = signals::taken(&mut stop) => {
                    // Every call under way answers by itself that it was cancelled.
                    let answered = async {
                        tokio::select! {
                            () = calls.answered() => {}
                            _code = &mut serving => {}
                        }
                    };
                    let _in_time = clock::within(STOP_LIMIT, answered).await;
                    return 128 + signal;
                }
                code = &mut serving => code,
            };
            if calls.ended_unread() { 1 } else { code }
        })
    }
}

/// Serves until the client is gone, and returns the exit code.
async fn to_the_end(server: Server, lines: Lines) -> u8 {
    match Box::pin(serve_server(server, lines)).await {
        Ok(running) => match running.waiting().await {
            Ok(_reason) => 0,
            Err(error) => {
                tracing::error!(%error, "the server broke down");
                3
            }
        },
        Err(ServerInitializeError::ConnectionClosed(_)) => 0,
        Err(error) => {
            tracing::error!(%error, "no connection came about");
            1
        }
    }
}
