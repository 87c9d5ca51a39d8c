//! What this program starts itself as: a reaper, a stub of itself, or who delivers to hooks.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::request;
use crate::{
    contract::{Failure, unknown_primitive},
    registry::{self, Entry, hook},
    system::{
        Context, reaper,
        stub::{self, Stub},
    },
};

/// Does what a hidden first argument asks for, and returns the exit code; nothing where this is a call like any other.
pub(super) fn enter(arguments: &[OsString]) -> Option<u8> {
    let (flag, rest) = arguments.split_first()?;
    let done = match (flag.to_str()?, rest) {
        (reaper::FLAG, [folder, program, arguments @ ..]) => {
            reaper::reap(&PathBuf::from(folder), program, arguments).map(|()| 0)
        }
        (hook::FLAG, []) => deliver().map(|()| 0),
        (stub::FLAG, [folder, arguments @ ..]) => respond(&PathBuf::from(folder), arguments),
        _ => return None,
    };
    Some(done.unwrap_or_else(|error| {
        // There is no log here. Where stderr is not read either, the missing files show that something went wrong.
        let _unread = writeln!(io::stderr(), "{error}");
        3
    }))
}

/// Delivers to hooks until nothing is left to deliver.
fn deliver() -> io::Result<()> {
    let context = Context::of_process(registry::descriptions, registry::SCHEMA);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let delivered = runtime.block_on(hook::deliver(&context));
    // Closing the database would move its log into it, with every call waiting for the disk once more.
    std::mem::forget(context);
    delivered.map_err(io::Error::other)
}

/// Responds as the stub's script says, called as legwork would be.
fn respond(folder: &Path, arguments: &[OsString]) -> io::Result<u8> {
    let shown: Vec<String> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let stub = Stub::begin(folder, &shown, print)?;
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
    let response = stub.asked(primitive, input.map_err(|Failure { message, .. }| message))?;
    stub.respond(&response)
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
