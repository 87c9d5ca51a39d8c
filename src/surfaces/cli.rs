//! The command line: one call, one line.

use std::{
    ffi::OsString,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Instant,
};

use super::{backstage, dispatch, help, logging, outlet, request, services::Service};
use crate::{
    contract::{Envelope, Failure, unknown_primitive},
    registry::{self, Entry},
    system::Context,
};

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
    let context = Context::of_process(registry::descriptions);
    logging::start(&context);
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(%panic, "panicked");
    }));
    if let Some(text) = for_people(&arguments) {
        // Somebody who stops reading has read enough.
        let _read_enough = std::io::stdout().write_all(text.as_bytes());
        return ExitCode::SUCCESS;
    }
    let service = arguments
        .first()
        .and_then(|name| Service::find(name.to_str()?));
    if let Some(service) = service {
        service.run(&context, arguments.split_off(1), since);
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
        return dispatch::refusal(
            context,
            "",
            unknown_primitive(name, &registry::descriptions()),
            since,
        );
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
    match request::read(context, entry, arguments) {
        Ok(input) => {
            let envelope = runtime.block_on(dispatch::call(context, entry, input, since));
            // Work on other threads, such as a look-up of a name, must not hold up the answer.
            runtime.shutdown_background();
            envelope
        }
        Err(failure) => dispatch::refusal(context, entry.about.name, failure, since),
    }
}

/// Returns what people ask for, which is not an envelope.
fn for_people(arguments: &[OsString]) -> Option<String> {
    let words: Vec<&str> = arguments.iter().map_while(|word| word.to_str()).collect();
    match words.as_slice() {
        ["--version" | "-V"] => Some(format!("legwork {}\n", env!("CARGO_PKG_VERSION"))),
        ["help" | "--help" | "-h"] => Some(help::overview()),
        ["help", name] | [name, "--help" | "-h"] => Entry::find(name)
            .map(help::of)
            .or_else(|| Service::find(name).map(help::of_service)),
        _ => None,
    }
}
