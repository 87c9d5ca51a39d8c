//! The input of a call, read from a file, a pipe or standard input without waiting for ever.
#![expect(
    clippy::disallowed_methods,
    reason = "what a call is given is read before anything else of it begins"
)]

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::clock;

/// How long a pipe that nobody writes into may stay so.
const WRITER_WAIT: Duration = Duration::from_secs(5);

/// Why an input could not be read.
#[derive(Debug)]
pub(crate) enum Error {
    /// It cannot be opened or read, or is too long.
    Unreadable(io::Error),
    /// It did not come to its end in time.
    TooSlow(Duration),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Reads a file of at most so many bytes to its end; what is a pipe must come to its end within the limit.
pub(crate) fn read_file(path: &Path, most: u64, limit: Duration) -> Result<Vec<u8>, Error> {
    let file = open(path)?;
    read_to_end(&file, most, Some(limit))
}

/// Reads standard input of at most so many bytes to its end, within the limit where there is one.
pub(crate) fn read_stdin(most: u64, limit: Option<Duration>) -> Result<Vec<u8>, Error> {
    read_to_end(rustix::stdio::stdin(), most, limit)
}

/// Opens a file. Opening a pipe waits for a writer, so a thread does it, which the process does not wait for.
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::FileTypeExt as _;
    if !path.metadata()?.file_type().is_fifo() {
        return File::open(path);
    }
    let (sender, opened) = mpsc::channel();
    let path = path.to_owned();
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            // Where nobody waits for it any more, the process is about to end.
            let _late = sender.send(File::open(path));
        })?;
    opened.recv_timeout(WRITER_WAIT).unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!(
                "it is a pipe, and nobody opened it for writing within {} s",
                WRITER_WAIT.as_secs()
            ),
        ))
    })
}

fn read_to_end(source: impl AsFd, most: u64, limit: Option<Duration>) -> Result<Vec<u8>, Error> {
    let since = clock::instant();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        wait(&source, since, limit)?;
        match rustix::io::read(&source, &mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(length) => {
                let read = chunk.get(..length).unwrap_or_default();
                bytes
                    .try_reserve(length)
                    .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
                bytes.extend_from_slice(read);
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
        if bytes.len() > most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it has more than {most} bytes"),
            )
            .into());
        }
    }
}

/// Waits until there is something to read, or the end.
fn wait(source: &impl AsFd, since: Instant, limit: Option<Duration>) -> Result<(), Error> {
    let left = match limit {
        None => None,
        Some(limit) => {
            let left = limit.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Err(Error::TooSlow(limit));
            }
            Some(Timespec::try_from(left).map_err(io::Error::other)?)
        }
    };
    let mut poll = [PollFd::new(source, PollFlags::IN)];
    match rustix::event::poll(&mut poll, left.as_ref()) {
        Ok(0) => Err(Error::TooSlow(limit.unwrap_or_default())),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(io::Error::from(error).into()),
    }
}
