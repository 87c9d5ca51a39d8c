//! The command line: one call, one line.

use std::{
    ffi::OsString,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Instant,
};

use super::{backstage, dispatch, logging, outlet, people, request, services::Service};
use crate::{
    contract::{Envelope, Failure, unknown_primitive, validation::Checker},
    registry::{self, Entry, Grants},
    system::Context,
};

/// The flag that shows the answer to people; it may also stand before the name.
const PRETTY: &str = "--pretty";

/// Runs the primitive that the arguments name and prints its one line.
pub fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "what a call cost is counted from here"
    )]
    let since = Instant::now();
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(status) = backstage::enter(&arguments) {
        return ExitCode::from(status);
    }
    let context = Context::of_process(registry::descriptions, registry::SCHEMA);
    logging::start(&context);
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(%panic, "panicked");
    }));
    if let Some(answer) = people::answer(&arguments) {
        if arguments.iter().any(|word| word == PRETTY) {
            outlet::show_to_people(&context);
        }
        outlet::leave(match answer {
            Ok(text) => outlet::print(&text),
            Err(refused) => outlet::answer(
                &dispatch::refusal(&context, refused.command, refused.failure, since),
                None,
            ),
        });
    }
    let before = arguments.iter().take_while(|word| *word == PRETTY).count();
    if before > 0 {
        arguments.drain(..before);
        outlet::show_to_people(&context);
    }
    let service = arguments
        .first()
        .and_then(|name| Service::find(name.to_str()?));
    if let Some(service) = service {
        let mut options = arguments.split_off(1);
        // A service answers no one call, and refuses the flag wherever it stands.
        options.extend((before > 0).then(|| PRETTY.into()));
        service.run(&context, options, since);
    }
    outlet::answer_signals(&context, since);
    let name = if arguments.is_empty() {
        String::new()
    } else {
        arguments.remove(0).to_string_lossy().into_owned()
    };
    let envelope = catch_unwind(AssertUnwindSafe(|| {
        answer(&context, &name, arguments, since)
    }))
    .unwrap_or_else(|panic| {
        let failure = Failure::panicked(panic.as_ref());
        dispatch::refusal(&context, &outlet::called(), failure, since)
    });
    outlet::leave(outlet::answer(&envelope, None))
}

fn answer(context: &Context, name: &str, arguments: Vec<OsString>, since: Instant) -> Envelope {
    let Some(entry) = Entry::find(name) else {
        if arguments.iter().any(|word| word == PRETTY) {
            outlet::show_to_people(context);
        }
        return dispatch::refusal(context, "", unknown(name), since);
    };
    outlet::calling(entry.about.name);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::internal(format!("no runtime could be made: {error}"));
            return dispatch::refusal(context, entry.about.name, failure, since);
        }
    };
    let schema = (entry.about.input_schema)().to_value();
    let request = request::read(context, entry, &schema, arguments);
    if request.pretty {
        outlet::show_to_people(context);
    }
    match request.input {
        Ok(input) => {
            let checker = Checker::new(schema);
            let call = dispatch::call(Grants::ALL, &checker, context, entry, input, since);
            let envelope = runtime.block_on(call);
            // Work on other threads, such as a look-up of a name, must not hold up the answer.
            runtime.shutdown_background();
            envelope
        }
        Err(failure) => dispatch::refusal(context, entry.about.name, failure, since),
    }
}

/// Creates the failure of a name that no primitive has; what else can be called is thought of too.
fn unknown(name: &str) -> Failure {
    let mut failure = unknown_primitive(name, &registry::descriptions());
    if let Some(near) = people::nearest_other(name) {
        failure.remediation = format!("Did you mean {near}? It is no primitive: see legwork help.");
    }
    failure
}
