//! The command line: one call, one line.

use std::{
    ffi::OsString,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Instant,
};

use super::{
    dispatch, hidden_commands, logging, output, plain_text, request, services::Service, signals,
};
use crate::{
    contract::{Effect, Envelope, Failure, unknown_primitive, validation::Checker},
    registry::{self, Entry, Grants},
    system::{
        Context, limits, meter::Meter, process, progress::Activity, standard_output, temporary,
    },
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
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(status) = hidden_commands::enter(&arguments) {
        return ExitCode::from(status);
    }
    let (meter, activity) = (Meter::default(), Activity::default());
    if let Some(entry) = named(&arguments) {
        output::calling(entry.about.name);
    }
    // Nothing is read before signals are caught: what is read may be a pipe.
    let caught = {
        let (meter, activity) = (meter.clone(), activity.clone());
        signals::catch(move |signal| {
            let failure = signals::interrupted(signal).with_effect(meter.halt());
            let envelope = dispatch::plain_refusal(&output::called(), failure, &meter, since);
            temporary::abandon();
            activity.clear();
            process::end_looks();
            output::leave(output::answer(&envelope, Some(signal)));
        })
    };
    let started = caught
        .map_err(|error| limits::Exceeded::of(&error))
        .and_then(|()| limits::check());
    let code = catch_unwind(AssertUnwindSafe(|| {
        let context = Context::of_process(registry::descriptions, registry::SCHEMA)
            .counted_by(meter.clone(), activity);
        let code = run(&context, arguments, started, since);
        // Closing the database would move its log into it, with every call waiting for the disk once more.
        std::mem::forget(context);
        code
    }))
    .unwrap_or_else(|panic| {
        // What the panic says may hold a secret, and there may be nothing yet that masks it.
        drop(panic);
        let failure = Failure::internal("it panicked before the call began");
        let envelope = dispatch::plain_refusal(&output::called(), failure, &meter, since);
        output::answer(&envelope, None)
    });
    output::leave(code)
}

/// Finds the primitive that the first word names.
fn named(arguments: &[OsString]) -> Option<&'static Entry> {
    let name = arguments.iter().find(|word| *word != PRETTY)?;
    Entry::find(name.to_str()?)
}

/// Does what the arguments ask for, and returns the exit code.
fn run(
    context: &Context,
    mut arguments: Vec<OsString>,
    started: Result<(), limits::Exceeded>,
    since: Instant,
) -> u8 {
    logging::start(context);
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(%panic, "panicked");
    }));
    if !standard_output::is_writable() {
        // The caller could not learn what the call did, so it does nothing.
        tracing::error!("standard output is closed or cannot be written, so nothing was done");
        return 3;
    }
    if arguments.iter().any(|word| word == PRETTY) && named(&arguments).is_none() {
        output::show_to_people(context);
    }
    match plain_text::answer(&arguments) {
        Some(Ok(text)) => return output::print(&text),
        Some(Err(refused)) => {
            let envelope = dispatch::refusal(context, refused.command, refused.failure, since);
            return output::answer(&envelope, None);
        }
        None => {}
    }
    if let Err(exceeded) = started {
        let envelope = dispatch::refusal(context, &output::called(), exceeded.into(), since);
        return output::answer(&envelope, None);
    }
    let before = arguments.iter().take_while(|word| *word == PRETTY).count();
    if before > 0 {
        arguments.drain(..before);
        output::show_to_people(context);
    }
    let service = arguments
        .first()
        .and_then(|name| Service::find(name.to_str()?));
    if let Some(service) = service {
        let mut options = arguments.split_off(1);
        // A service answers many calls, and refuses the flag wherever it stands.
        options.extend((before > 0).then(|| PRETTY.into()));
        return service.run(context, options, since);
    }
    let name = if arguments.is_empty() {
        String::new()
    } else {
        arguments.remove(0).to_string_lossy().into_owned()
    };
    let envelope = catch_unwind(AssertUnwindSafe(|| {
        answer(context, &name, arguments, since)
    }))
    .unwrap_or_else(|panic| {
        let failure = Failure::panicked(panic.as_ref());
        dispatch::refusal(context, &output::called(), failure, since)
    });
    output::answer(&envelope, None)
}

fn answer(context: &Context, name: &str, arguments: Vec<OsString>, since: Instant) -> Envelope {
    let Some(entry) = Entry::find(name) else {
        return dispatch::refusal(context, "", unknown(name), since);
    };
    let refuse = |failure| dispatch::refusal(context, entry.about.name, failure, since);
    if entry.about.effects.open_world
        && let Err(exceeded) = limits::check_processes()
    {
        return refuse(exceeded.into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return refuse(limits::Exceeded::of(&error).into()),
    };
    let schema = (entry.about.input_schema)().to_value();
    let request = request::read(context, entry, &schema, arguments);
    if request.pretty {
        output::show_to_people(context);
    }
    match request.input {
        Ok(input) => {
            let checker = Checker::new(schema);
            let grants = Grants::ALL;
            let call = dispatch::call(&grants, &checker, context, entry, input, since);
            let envelope = runtime.block_on(call);
            // Work on other threads, such as a look-up of a name, must not hold up the answer.
            runtime.shutdown_background();
            envelope
        }
        Err(failure) => refuse(failure.with_effect(Effect::None)),
    }
}

/// Creates the failure of a name that no primitive has; what else can be called is thought of too.
fn unknown(name: &str) -> Failure {
    let mut failure = unknown_primitive(name, &registry::descriptions());
    if let Some(near) = plain_text::nearest_other(name) {
        failure.remediation = format!("Did you mean {near}? It is no primitive: see legwork help.");
    }
    failure
}
