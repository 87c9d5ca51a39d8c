//! What this program is started as by itself: a guard, or a stand-in for itself.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::request;
use crate::{
    contract::{Failure, unknown_primitive},
    registry::{self, Entry},
    system::{
        Context, guard,
        stand_in::{self, StandIn},
    },
};

/// Does what the first argument asks for, and returns the exit status; nothing where this is a call like any other.
pub(super) fn enter(arguments: &[OsString]) -> Option<u8> {
    let (flag, rest) = arguments.split_first()?;
    let done = match (flag.to_str()?, rest) {
        (guard::FLAG, [folder, program, arguments @ ..]) => {
            guard::keep(&PathBuf::from(folder), program, arguments).map(|()| 0)
        }
        (stand_in::FLAG, [folder, arguments @ ..]) => play(&PathBuf::from(folder), arguments),
        _ => return None,
    };
    Some(done.unwrap_or_else(|error| {
        // No log is on here; where nobody reads this either, the files that are missing tell.
        let _unread = writeln!(io::stderr(), "{error}");
        3
    }))
}

/// Plays a part, called as legwork would be.
fn play(folder: &Path, arguments: &[OsString]) -> io::Result<u8> {
    let shown: Vec<String> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let stand_in = StandIn::begin(folder, &shown, print)?;
    let primitive = shown.first().map_or("", String::as_str);
    let context = Context::of_process(registry::descriptions, registry::SCHEMA);
    let input = match Entry::find(primitive) {
        Some(entry) => {
            let arguments = arguments.get(1..).unwrap_or_default().to_vec();
            let schema = (entry.about.input_schema)();
            request::read(&context, entry, schema.as_value(), arguments).input
        }
        None => Err(unknown_primitive(primitive, &registry::descriptions())),
    };
    let part = stand_in.asked(primitive, input.map_err(|Failure { message, .. }| message))?;
    stand_in.play(&part)
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
