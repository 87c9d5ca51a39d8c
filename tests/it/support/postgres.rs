//! A real `PostgreSQL` of its own, on a socket in a folder of its own, ended by its pid.
//!
//! All that one process of tests has lies in one folder. A shell beside it waits for the end of a pipe that the process holds, and
//! then ends what still runs there and removes it: the shared server is never dropped, and tests may be killed.
//!
//! It stands on nothing but the system, because the tests inside `src` use it too.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The number in the name of the socket; nothing listens on the network unless a test asks for it.
const PORT: u16 = 17432;

/// The user that needs a password, and the password.
pub(crate) const GUARDED: (&str, &str) = ("guarded", "q8-Swordfish-71");

/// The server that the tests of this process share, started once.
static SHARED: LazyLock<Arc<Postgres>> = LazyLock::new(|| Arc::new(Postgres::start()));

/// The data of a server that has just been made, which is copied for each; making it takes seconds.
static PRISTINE: LazyLock<PathBuf> = LazyLock::new(pristine);

/// The folder of all that this process starts, and who cleans up after it.
static YARD: LazyLock<Yard> = LazyLock::new(Yard::new);

/// Waits for the end of its input, ends the servers whose data lie in the folder, and removes it.
const JANITOR: &str = r#"
read -r _
for file in "$1"/*/data/postmaster.pid; do
    [ -e "$file" ] && kill -CONT "$(head -n 1 "$file")" && kill -QUIT "$(head -n 1 "$file")"
done 2>/dev/null
tries=0
while ls "$1"/*/data/postmaster.pid >/dev/null 2>&1 && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
rm -rf "$1"
"#;

/// How many databases were made, over all servers of this process.
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server; ended when dropped.
pub(crate) struct Postgres {
    folder: TempDir,
    server: Mutex<Option<Child>>,
}

struct Yard {
    folder: PathBuf,
    /// Held for as long as this process lives.
    _janitor: Child,
}

impl Yard {
    fn new() -> Self {
        // Paths of sockets are short.
        let folder = tempfile::Builder::new()
            .prefix("lw-pg-")
            .tempdir_in("/tmp")
            .expect("a temporary folder")
            .keep();
        enterable(&folder);
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a janitor");
        Self {
            folder,
            _janitor: janitor,
        }
    }
}

impl Postgres {
    /// Returns the server that the tests of this process share.
    pub(crate) fn shared() -> Arc<Self> {
        Arc::clone(&SHARED)
    }

    /// Starts one for a test that ends it, or has it stand still.
    pub(crate) fn start() -> Self {
        let pristine = &*PRISTINE;
        let folder = tempfile::Builder::new()
            .prefix("server-")
            .tempdir_in(&YARD.folder)
            .expect("a folder");
        enterable(folder.path());
        let copied = Command::new("cp")
            .arg("-a")
            .arg(pristine)
            .arg(folder.path())
            .status();
        assert!(copied.expect("cp runs").success(), "a copy of the data");
        owned_folder(&folder.path().join("socket"));
        let postgres = Self {
            folder,
            server: Mutex::new(None),
        };
        postgres.start_again();
        let (user, password) = GUARDED;
        postgres.ask(
            "postgres",
            &format!("CREATE ROLE {user} LOGIN PASSWORD '{password}'"),
        );
        postgres
    }

    /// Starts the server on the data that it has.
    pub(crate) fn start_again(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let log = fs::File::create(self.folder.path().join("log")).expect("its log");
            let server = program("postgres")
                .arg("-D")
                .arg(self.data())
                .arg("-k")
                .arg(self.socket())
                .args(["-p", &PORT.to_string()])
                .args(["-c", "listen_addresses=", "-c", "max_connections=200"])
                .args(["-c", "fsync=off"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .expect("postgres starts");
            let mut slot = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            let server = slot.insert(server);
            // One that was killed leaves memory behind, which goes when the last of its processes does.
            while server.try_wait().expect("its state").is_none() {
                if self.is_ready() {
                    return;
                }
                assert!(Instant::now() < deadline, "{}", self.log());
                thread::sleep(Duration::from_millis(20));
            }
            drop(slot);
            assert!(Instant::now() < deadline, "{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns the pid of the server.
    pub(crate) fn pid(&self) -> u32 {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().expect("it runs").id()
    }

    /// Sends the server, and it alone, a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Sends every process of the server a signal, such as `STOP` and `CONT`.
    pub(crate) fn signal_all(&self, name: &str) {
        let server = self.pid();
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"))
            .unwrap_or_default();
        for child in children.split_whitespace() {
            signal(child.parse().expect("a pid"), name);
        }
        signal(server, name);
    }

    /// Ends the server at once, as a crash does, and waits until it has gone.
    pub(crate) fn crash(&self) {
        self.signal("KILL");
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        drop(server.take().map(|mut server| server.wait()));
    }

    /// Makes an empty database, and returns its URL.
    pub(crate) fn database(&self) -> String {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("lw_{}_{number}", std::process::id());
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.url("legwork", &name)
    }

    /// Returns the URL of a database for a user, who may have a password behind a colon.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let socket = self.socket();
        format!(
            "postgres://{user}@/{database}?host={}&port={PORT}",
            socket.display()
        )
    }

    /// Lets `psql` carry out a statement in a database, and returns what it prints.
    pub(crate) fn ask(&self, database: &str, statement: &str) -> String {
        let answer = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "legwork", "-d", database, "-p", &PORT.to_string()])
            .arg("-h")
            .arg(self.socket())
            .args(["-c", statement])
            .output()
            .expect("psql starts");
        assert!(answer.status.success(), "{statement}: {answer:?}");
        String::from_utf8_lossy(&answer.stdout)
            .trim_end()
            .to_owned()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn is_ready(&self) -> bool {
        Command::new("pg_isready")
            .args(["-q", "-U", "legwork", "-d", "postgres", "-p"])
            .arg(PORT.to_string())
            .arg("-h")
            .arg(self.socket())
            .status()
            .expect("pg_isready starts")
            .success()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let server = self
            .server
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(mut server) = server.take() {
            // It ends its own processes, which it cannot while it stands still.
            signal(server.id(), "CONT");
            signal(server.id(), "QUIT");
            drop(server.wait());
        }
    }
}

/// Makes the data of a server, and returns where they lie.
fn pristine() -> PathBuf {
    let folder = YARD.folder.join("pristine");
    fs::create_dir(&folder).expect("a folder");
    enterable(&folder);
    let data = folder.join("data");
    owned_folder(&data);
    let made = program("initdb")
        .arg("-D")
        .arg(&data)
        .args(["-U", "legwork", "--auth=trust", "-E", "UTF8", "--locale=C"])
        .arg("--no-sync")
        .output()
        .expect("initdb starts");
    assert!(made.status.success(), "{made:?}");
    let access = data.join("pg_hba.conf");
    let rules = fs::read_to_string(&access).expect("the rules of access");
    let first = format!(
        "local all {0} scram-sha-256\nhost all {0} 127.0.0.1/32 scram-sha-256\n",
        GUARDED.0
    );
    fs::write(access, format!("{first}{rules}")).expect("the rules of access");
    data
}

/// Lets the user of the server enter a folder.
fn enterable(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
        .expect("a folder that its user may enter");
}

/// Makes a folder that belongs to the user of the server.
fn owned_folder(path: &Path) {
    fs::create_dir(path).expect("a folder of the server");
    if is_root() {
        let owned = Command::new("chown").arg("postgres").arg(path).status();
        assert!(owned.expect("chown runs").success(), "a user postgres");
    }
}

/// Returns the name of the database in a URL of [`Postgres::database`].
pub(crate) fn name_of(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a name")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("this process").uid() == 0
}

/// Prepares a program of the server, which does not run as root.
fn program(name: &str) -> Command {
    let found = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .find(|path| path.exists());
    assert!(
        found.is_some(),
        "{name} is missing: `apt-get install postgresql`, or `bash tests/run.sh`"
    );
    let path = found.unwrap_or_default();
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(path)
        .current_dir(Path::new("/"));
    command
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    drop(sent);
}
