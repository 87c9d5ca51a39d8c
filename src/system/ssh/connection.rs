//! Connecting, finding the connection again, and running programs over it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{ConnectFailure, Error, limiter};
use crate::system::{
    Context, clock, digest, files,
    process::{self, Exit},
};
use jiff::Timestamp;
use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder, Stdio};

/// The longest path a Unix socket may have is 107 bytes; the client adds up to this many to the folder's.
const SOCKET_SUFFIX: usize = 50;

/// Attempts to open a session on a connection that has as many as its host allows.
const ATTEMPTS: u32 = 60;

/// How long a connection may take to answer before it counts as dead.
const ALIVE_WITHIN: Duration = Duration::from_secs(5);

/// Where the ssh client connects to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The host's name here.
    pub(crate) host: String,
    /// What the client is given as destination.
    pub(crate) destination: String,
    /// The client's configuration file, in place of the user's own.
    pub(crate) config_file: Option<PathBuf>,
    /// How long connecting may take.
    pub(crate) connect_timeout: Duration,
    /// How long an unused connection stays open.
    pub(crate) persist: Duration,
    /// Sessions that may be open at once.
    pub(crate) sessions: u8,
}

impl Target {
    /// Returns the path all files of this connection start with, in a folder for this user alone.
    fn base(&self, context: &Context) -> Result<PathBuf, files::Error> {
        let folder = folder(context)?;
        let identity = (&self.destination, &self.config_file);
        Ok(folder.join(&digest::canonical(&identity)[..16]))
    }
}

fn folder(context: &Context) -> Result<PathBuf, files::Error> {
    let home = context.environment().home();
    let usual = home.join("ssh");
    if usual.as_os_str().len() + SOCKET_SUFFIX <= 107 {
        files::make_guarded_folder(&usual)?;
        return Ok(usual);
    }
    let digest = &digest::sha256(home.as_os_str().as_encoded_bytes())[..8];
    let user = rustix::process::getuid().as_raw();
    let short = PathBuf::from(format!("/tmp/legwork-{user}-{digest}"));
    files::make_guarded_folder(&short)?;
    Ok(short)
}

/// Returns when the host last gave a whole answer.
pub(crate) fn last_answer_at(context: &Context, target: &Target) -> Option<String> {
    let path = target.base(context).ok()?.with_extension("answered");
    let modified = files::metadata(&path).ok()?.modified().ok()?;
    Timestamp::try_from(modified).ok().map(clock::text)
}

/// Connects where there is no connection yet; sends no command.
pub(crate) async fn connect(context: &Context, target: &Target) -> Result<(), Error> {
    let base = target.base(context)?;
    session(context, target, &base).await.map(drop)
}

/// Records that the host has just given a whole answer.
pub(crate) fn note_answer(context: &Context, target: &Target) {
    if let Ok(base) = target.base(context) {
        // Where the time cannot be recorded, an older one is reported.
        let _older = files::touch(&base.with_extension("answered"));
    }
}

/// Sends a rendered program to a shell on the host and returns how the shell ended, with at most `limit` bytes of stdout.
///
/// It has no exit code where a lost connection ended it.
pub(crate) async fn run(
    context: &Context,
    target: &Target,
    program: &str,
    limit: u64,
) -> Result<Exit, Error> {
    let base = target.base(context)?;
    let _place = limiter::place(&base, target.sessions).await?;
    let mut child = match start_on_recorded(&base).await {
        Some(child) => child,
        None => start_on_any(context, target, &base).await?,
    };
    context.meter().count_round_trip();
    tracing::debug!(host = target.host, bytes = program.len(), "sent a program");
    let stdin = child.stdin().take();
    let stdout = child.stdout().take();
    let stderr = child.stderr().take();
    // What could not be sent or read is missing from the answer, which its marks show.
    let printed = process::exchange(stdin, program.as_bytes(), stdout, stderr, limit)
        .await
        .unwrap_or_default();
    let status = if printed.truncated {
        // Nothing reads the rest, so the shell may never end: it is not waited for.
        None
    } else {
        match child.wait().await {
            Ok(status) => status.code(),
            // This is how the crate returns exit code 127.
            Err(openssh::Error::Remote(_)) => Some(127),
            Err(_broken) => None,
        }
    };
    Ok(Exit {
        status,
        stdout: printed.stdout,
        stderr: printed.stderr,
        truncated: printed.truncated,
    })
}

/// A shell on the host that has not been sent its program yet.
type Shell = openssh::Child<Arc<Session>>;

async fn start(session: Arc<Session>) -> Result<Shell, openssh::Error> {
    session
        .arc_raw_command("exec /bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .await
}

/// Starts a shell over the recorded connection without checking it first, since mostly it is alive.
///
/// Where it is not, nothing was done: the shell had not been sent its program.
async fn start_on_recorded(base: &Path) -> Option<Shell> {
    let socket = recorded_socket(&base.with_extension("master"))?;
    let session = Session::resume_mux(socket.into_boxed_path(), None);
    tokio::time::timeout(ALIVE_WITHIN, start(Arc::new(session)))
        .await
        .ok()?
        .ok()
}

/// Starts a shell, making the connection where there is none, and waiting while the host allows no more sessions.
async fn start_on_any(context: &Context, target: &Target, base: &Path) -> Result<Shell, Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let session = session(context, target, base).await?;
        match start(session).await {
            Ok(child) => return Ok(child),
            // Nothing was started: the connection is gone, or it has as many sessions as the host allows.
            Err(openssh::Error::Disconnected) if attempt < 3 => {}
            Err(openssh::Error::SshMux(_) | openssh::Error::Disconnected) if attempt < ATTEMPTS => {
                clock::sleep(Duration::from_millis(u64::from(attempt.min(20)) * 10)).await;
            }
            Err(openssh::Error::SshMux(_)) => {
                return Err(Error::Busy {
                    host: target.host.clone(),
                });
            }
            Err(error) => return Err(unreachable(context, target, &error.to_string())),
        }
    }
}

/// Finds the live master connection, or makes one, which one process at a time does.
async fn session(context: &Context, target: &Target, base: &Path) -> Result<Arc<Session>, Error> {
    let record = base.with_extension("master");
    if let Some(session) = resume(&record).await {
        return Ok(session);
    }
    let waiting_since = clock::now();
    let _lock = files::lock(&base.with_extension("lock")).await?;
    if let Some(session) = resume(&record).await {
        return Ok(session);
    }
    let refusal = base.with_extension("refused");
    if let Some(stderr) = refused_since(&refusal, waiting_since) {
        // The process that held the lock has just tried. If all that waited for it tried in turn, the last would wait
        // for the time-outs of all the others.
        return Err(failed(context, target, stderr));
    }
    if let Some(dead) = recorded_socket(&record)
        && let Some(folder) = dead.parent()
    {
        // A folder that stays does no harm.
        let _harmless = files::remove_folder(folder);
    }
    let connected = start_master(context, target, base).await;
    if let Err(Error::Connect { stderr, .. }) = &connected {
        // Without this file the others try by themselves.
        let _others_try = files::write_cache(&refusal, stderr.as_bytes());
    }
    let socket = connected?;
    files::write_cache(&record, socket.as_os_str().as_encoded_bytes())?;
    resume(&record)
        .await
        .ok_or_else(|| unreachable(context, target, "the new connection closed at once"))
}

/// Returns the control socket that a file records.
fn recorded_socket(record: &Path) -> Option<PathBuf> {
    let bytes = files::read_regular(record, 4096).ok()?;
    let path = PathBuf::from(String::from_utf8(bytes).ok()?);
    // Only a socket in a folder that the client made is used or removed.
    let inside = path.parent()?.parent()? == record.parent()?;
    inside.then_some(path)
}

async fn resume(record: &Path) -> Option<Arc<Session>> {
    let socket = recorded_socket(record)?;
    let session = Session::resume_mux(socket.into_boxed_path(), None);
    let alive = tokio::time::timeout(ALIVE_WITHIN, session.check()).await;
    matches!(alive, Ok(Ok(()))).then(|| Arc::new(session))
}

/// Returns what the client printed when another process failed to connect after a time.
fn refused_since(refusal: &Path, time: Timestamp) -> Option<String> {
    let modified = files::metadata(refusal).ok()?.modified().ok()?;
    let stderr = files::read_regular(refusal, 1 << 20).ok()?;
    (Timestamp::try_from(modified).ok()? > time)
        .then(|| String::from_utf8_lossy(&stderr).into_owned())
}

async fn start_master(context: &Context, target: &Target, base: &Path) -> Result<PathBuf, Error> {
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .connect_timeout(target.connect_timeout)
        .server_alive_interval(Duration::from_secs(15))
        .control_persist(ControlPersist::IdleFor(
            std::num::NonZeroUsize::new(
                usize::try_from(target.persist.as_secs()).unwrap_or(usize::MAX),
            )
            .unwrap_or(std::num::NonZeroUsize::MIN),
        ));
    if let Some(folder) = base.parent() {
        builder.control_directory(folder);
    }
    if let Some(file) = &target.config_file {
        builder.config_file(file);
    }
    tracing::info!(host = target.host, "connecting");
    let patience = target.connect_timeout + Duration::from_secs(20);
    let connected = tokio::time::timeout(patience, builder.connect_mux(&target.destination)).await;
    match connected {
        Ok(Ok(session)) => Ok(session.detach().0.into_path_buf()),
        Ok(Err(openssh::Error::Connect(source))) if has_no_client(context, &source) => {
            Err(Error::NoClient(source))
        }
        Ok(Err(openssh::Error::Connect(source))) => {
            Err(failed(context, target, source.to_string()))
        }
        Ok(Err(error)) => Err(unreachable(context, target, &error.to_string())),
        Err(_elapsed) => Err(unreachable(context, target, "the connection took too long")),
    }
}

/// Returns whether the error is that there is no client, rather than that the client left no log to read.
fn has_no_client(context: &Context, source: &io::Error) -> bool {
    let path = context.environment().get("PATH").unwrap_or_default();
    source.kind() == io::ErrorKind::NotFound
        && source.raw_os_error().is_some()
        && !path
            .split(':')
            .any(|folder| files::exists(&Path::new(folder).join("ssh")))
}

fn failed(context: &Context, target: &Target, stderr: String) -> Error {
    Error::Connect {
        host: target.host.clone(),
        failure: ConnectFailure::of(&stderr),
        stderr,
        last_evidence_at: last_answer_at(context, target),
    }
}

fn unreachable(context: &Context, target: &Target, stderr: &str) -> Error {
    Error::Connect {
        host: target.host.clone(),
        failure: ConnectFailure::Unreachable,
        stderr: stderr.to_owned(),
        last_evidence_at: last_answer_at(context, target),
    }
}
