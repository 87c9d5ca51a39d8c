//! Whether standard output can be written at all, and writing to it.
//!
//! A call whose answer nobody can get must say so by its exit code. The standard library hides exactly this: before `main`
//! it opens `/dev/null` in place of a closed standard stream, and writing to a descriptor that is only open for reading
//! counts as written. So a constructor, which the loader runs before the standard library starts, notes what descriptor 1
//! is. It only asks the kernel and stores one byte.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{
    event::{PollFd, PollFlags},
    fs::OFlags,
};

/// Whether descriptor 1 was open for writing when the process started.
static WRITABLE: AtomicBool = AtomicBool::new(true);

#[ctor::ctor(unsafe)]
fn look_before_main() {
    let flags = rustix::fs::fcntl_getfl(rustix::stdio::stdout());
    let writable = flags.is_ok_and(|flags| {
        !flags.contains(OFlags::PATH)
            && matches!(flags & OFlags::ACCMODE, OFlags::WRONLY | OFlags::RDWR)
    });
    WRITABLE.store(writable, Ordering::Relaxed);
}

/// Returns whether standard output was open for writing when the process started.
pub(crate) fn is_writable() -> bool {
    WRITABLE.load(Ordering::Relaxed)
}

/// Writes all of it, waiting for a slow reader also where the descriptor does not block.
pub(crate) fn write(mut bytes: &[u8]) -> io::Result<()> {
    let stdout = rustix::stdio::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(stdout, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut wait = [PollFd::new(&stdout, PollFlags::OUT)];
                match rustix::event::poll(&mut wait, None) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Returns whether somebody may still read what is written: a pipe or socket whose other end is closed has no reader.
pub(crate) fn has_reader() -> bool {
    let stdout = rustix::stdio::stdout();
    let mut look = [PollFd::new(&stdout, PollFlags::empty())];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match rustix::event::poll(&mut look, Some(&now)) {
        Ok(_) => {
            let [look] = look;
            !look
                .revents()
                .intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
        }
        Err(_) => true,
    }
}
