//! The limits that the system sets to this process, and whether they leave enough for a call.
//!
//! A process that runs out of descriptors, threads or memory halfway fails in whatever library asked for one more, mostly
//! by a panic or by an abort that nobody can answer. So a call looks before it begins, and is refused where less is left
//! than any call may need.

use std::{
    any::Any,
    fs::File,
    io,
    os::fd::OwnedFd,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    io::Errno,
    process::{Resource, getrlimit},
};

use crate::contract::{Code, Failure, details};

/// Descriptors that a call has open at once at most, beside those it was started with.
const DESCRIPTORS: usize = 24;

/// Threads and processes that a call which talks to other machines has at once, at least.
const PROCESSES: usize = 4;

/// Bytes of address space that a call may ask for beside those it has: mostly the stacks of threads.
const MEMORY: u64 = 48 << 20;

/// Whether a write was refused because the file would have grown beyond the limit for files.
static FILE_SIZE_REACHED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Lets a write that would make a file too large fail, in place of ending the process by SIGXFSZ.
///
/// The signal is caught and not ignored, because programs that are started would inherit that it is ignored.
pub(crate) fn catch_file_size() -> io::Result<()> {
    let reached = Arc::clone(&FILE_SIZE_REACHED);
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, reached).map(drop)
}

/// Returns the failure of a call as it is, or as one of the limit for files where a write of the call reached that.
///
/// What failed then may know no more than that a write failed, as the database does.
pub(crate) fn explained(failure: Failure) -> Failure {
    if !FILE_SIZE_REACHED.swap(false, Ordering::Relaxed) {
        return failure;
    }
    let exceeded = Exceeded {
        limit: "file size",
        reason: failure.message,
    };
    Failure {
        effect: failure.effect,
        ..exceeded.into()
    }
}

/// A limit that leaves too little.
#[derive(Clone, Debug)]
pub(crate) struct Exceeded {
    limit: &'static str,
    reason: String,
}

impl Exceeded {
    /// Recognises the limit by the error of what was refused.
    pub(crate) fn of(error: &io::Error) -> Self {
        let limit = match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => "open files",
            Some(Errno::AGAIN) => "processes",
            Some(Errno::NOMEM) => "memory",
            _ => "resources",
        };
        Self {
            limit,
            reason: error.to_string(),
        }
    }
}

impl From<Exceeded> for Failure {
    fn from(exceeded: Exceeded) -> Self {
        Self::new(
            Code::LimitsReached,
            format!(
                "too little is left of the limit for {}: {}",
                exceeded.limit, exceeded.reason
            ),
            format!(
                "Raise the limit for {} (see ulimit) or end what uses it up, then send the same call again.",
                exceeded.limit
            ),
        )
        .with_details(details::Limit::new(exceeded.limit, exceeded.reason).into())
    }
}

/// Makes the failure of a call that panicked: of the limit, where a library could not start a thread, else of a bug.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let failure = Failure::panicked(panic);
    if failure.message.contains("can't spawn worker thread") {
        let error = io::Error::from(Errno::AGAIN);
        return Exceeded::of(&error).into();
    }
    failure
}

/// Finds out whether any call can be answered.
pub(crate) fn check() -> Result<(), Exceeded> {
    check_descriptors()?;
    check_memory()
}

fn check_descriptors() -> Result<(), Exceeded> {
    let taken: Result<Vec<OwnedFd>, Errno> = (0..DESCRIPTORS)
        .map(|_| rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3))
        .collect();
    match taken {
        // Standard input may be closed on systems that do not open something in its place.
        Ok(_) | Err(Errno::BADF) => Ok(()),
        Err(error) => Err(Exceeded::of(&error.into())),
    }
}

fn check_memory() -> Result<(), Exceeded> {
    let Some(most) = getrlimit(Resource::As).current else {
        return Ok(());
    };
    let left = most.saturating_sub(address_space().unwrap_or(0));
    if left >= MEMORY {
        return Ok(());
    }
    Err(Exceeded {
        limit: "memory",
        reason: format!("{left} bytes of address space are left, and a call may need {MEMORY}"),
    })
}

/// Returns the bytes of address space that this process has; nothing where the system does not show them.
fn address_space() -> Option<u64> {
    use io::Read as _;
    let mut text = String::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel is asked, not the disk"
    )]
    let mut file = File::open("/proc/self/statm").ok()?;
    file.read_to_string(&mut text).ok()?;
    let pages: u64 = text.split(' ').next()?.parse().ok()?;
    Some(pages.saturating_mul(u64::try_from(rustix::param::page_size()).ok()?))
}

/// Finds out whether a call that talks to other machines, or serves many calls, can start what it needs.
pub(crate) fn check_processes() -> Result<(), Exceeded> {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(receiver));
    let started: io::Result<Vec<_>> = (0..PROCESSES)
        .map(|_| {
            let receiver = std::sync::Arc::clone(&receiver);
            std::thread::Builder::new()
                .stack_size(1 << 16)
                .spawn(move || {
                    // All of them are there at once, until the sender is gone.
                    let _gone = receiver.lock().map(|receiver| receiver.recv());
                })
        })
        .collect();
    drop(sender);
    match started {
        Ok(threads) => {
            for thread in threads {
                // They end by themselves, and soon.
                let _ended = thread.join();
            }
            Ok(())
        }
        Err(error) => Err(Exceeded::of(&error)),
    }
}
