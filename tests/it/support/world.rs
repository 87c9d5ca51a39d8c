//! A world of its own for one test: a temporary root, a home, a hermetic git, a configuration.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
};

use tempfile::TempDir;

use super::{Call, Postgres, fed, machine::TestBed};

/// Where programs are found; those of the test bed come before it in [`World::with_testbed`].
pub(crate) const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// The configuration of git in every world, here and on its hosts.
pub(crate) const GIT_CONFIGURATION: &str = "[user]\n\tname = Ada Tester\n\temail = ada@example.org\n\
     [init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n[commit]\n\tgpgSign = false\n\
     [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/// A world of its own for one test; removed when dropped.
pub(crate) struct World {
    root: TempDir,
    testbed: OnceLock<TestBed>,
    search_path: String,
    variables: BTreeMap<String, String>,
    /// The server of its database, where it has one.
    server: Option<Arc<Postgres>>,
}

impl World {
    /// Makes one that needs nothing but what the system has, so that its test runs on any checkout.
    pub(crate) fn new() -> Self {
        Self::with_search_path(SYSTEM_PATH)
    }

    /// Makes one whose programs, here and on its hosts, find those of the test bed (`uv`, `node`) first.
    ///
    /// Fails where they are not installed.
    pub(crate) fn with_testbed() -> Self {
        let testbed = TestBed::locate();
        let programs = testbed.programs();
        let world = Self::with_search_path(&format!("{}:{SYSTEM_PATH}", programs.display()));
        world.testbed.get_or_init(|| testbed);
        world
    }

    /// Makes one. Its root is short, because paths of Unix sockets end at 108 bytes.
    fn with_search_path(search_path: &str) -> Self {
        let root = tempfile::Builder::new()
            .prefix("lw-")
            .tempdir_in("/tmp")
            .expect("a temporary folder");
        let mut world = Self {
            root,
            testbed: OnceLock::new(),
            search_path: search_path.to_owned(),
            variables: BTreeMap::new(),
            server: None,
        };
        for folder in [
            "home", "config", "cache", "data", "run", "state", "tmp", "ssh",
        ] {
            fs::create_dir(world.path(folder)).expect("a folder of the world");
            fs::set_permissions(world.path(folder), fs::Permissions::from_mode(0o700))
                .expect("a private folder");
        }
        fs::write(world.path("gitconfig"), GIT_CONFIGURATION).expect("git's configuration");
        fs::write(world.ssh_config(), "").expect("the ssh client's configuration");
        for (name, value) in [
            ("PATH", search_path),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("TZ", "UTC"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_AUTHOR_DATE", "2024-01-02T03:04:05Z"),
            ("GIT_COMMITTER_DATE", "2024-01-02T03:04:05Z"),
        ] {
            world.set(name, value);
        }
        for (name, place) in [
            ("HOME", "home"),
            ("TMPDIR", "tmp"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_RUNTIME_DIR", "run"),
            ("GIT_CONFIG_GLOBAL", "gitconfig"),
            ("LEGWORK_HOME", "state/legwork"),
            ("LEGWORK_CONFIG", "config.toml"),
        ] {
            let value = world.path(place).display().to_string();
            world.set(name, value);
        }
        let ssh_config = world.ssh_config();
        world.configure(&format!(
            "[ssh]\nconfig_file = '{}'\n",
            ssh_config.display()
        ));
        // Any test that does not look into the database itself can be run over either engine.
        if std::env::var("LEGWORK_TESTS_STORE").is_ok_and(|engine| engine == "postgres") {
            world.keep_in(&Postgres::shared());
        }
        world
    }

    /// Keeps what calls know in a database of its own on a server, and returns its URL.
    pub(crate) fn keep_in(&mut self, server: &Arc<Postgres>) -> String {
        let url = server.database();
        self.keep_at(server, &url);
        url
    }

    /// Keeps what calls know in a database that others use too.
    pub(crate) fn keep_at(&mut self, server: &Arc<Postgres>, url: &str) {
        self.set("LEGWORK_STORE", url);
        self.server = Some(Arc::clone(server));
    }

    /// Returns a path below the root.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Returns the home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Returns the ssh client's configuration, to which every [`super::Sshd`] adds its alias.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.path("ssh/config")
    }

    /// Returns what `tests/run.sh` installed beside the system. Fails where it is not there.
    ///
    /// A test that wants its programs found by name starts from [`World::with_testbed`] instead.
    pub(crate) fn testbed(&self) -> &TestBed {
        self.testbed.get_or_init(TestBed::locate)
    }

    /// Returns where its programs, and those of its hosts, are found.
    pub(crate) fn search_path(&self) -> &str {
        &self.search_path
    }

    /// Sets a variable of the environment of every later program.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Takes a variable out of the environment of every later program.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Adds TOML to legwork's configuration; tables that are there already are merged.
    pub(crate) fn configure(&self, addition: &str) {
        let file = self.path("config.toml");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut whole: toml::Table = text.parse().expect("the configuration so far");
        merge(&mut whole, addition.parse().expect("valid TOML"));
        fs::write(file, whole.to_string()).expect("the configuration");
    }

    /// Prepares a program in this world's environment, in its home folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// Prepares a call of legwork.
    pub(crate) fn legwork_command<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_legwork"));
        command.args(arguments);
        command
    }

    /// Calls legwork and reads its answer.
    pub(crate) fn legwork<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Call {
        Call::read(
            &self
                .legwork_command(arguments)
                .output()
                .expect("legwork starts"),
        )
    }

    /// Calls legwork with something on its standard input, and reads its answer.
    pub(crate) fn legwork_with_input<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &[u8],
    ) -> Call {
        Call::read(&fed(&mut self.legwork_command(arguments), input))
    }

    /// Sends a call that is killed at a named point; fails where it does not come that far.
    #[track_caller]
    pub(crate) fn killed<A: AsRef<OsStr>>(
        &self,
        point: &str,
        arguments: impl IntoIterator<Item = A>,
    ) {
        let output = self
            .legwork_command(arguments)
            .env("LEGWORK_FAILPOINT", point)
            .output()
            .expect("legwork starts");
        assert_eq!(output.status.signal(), Some(9), "{point} was not reached");
        assert!(output.stdout.is_empty(), "{point} comes after the answer");
    }

    /// Makes a pipe with a name, and returns its path.
    pub(crate) fn fifo(&self) -> String {
        let fifo = self.path("fifo");
        let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
        assert!(made.success());
        fifo.display().to_string()
    }

    /// Runs git in a folder, which must succeed, and returns what it printed.
    pub(crate) fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self
            .command("git")
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("git starts");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Makes a repository with one commit that holds the given files.
    pub(crate) fn repository(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(&folder).expect("a folder for the repository");
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file of the repository");
        }
        self.git(&folder, &["init", "--quiet"]);
        self.git(&folder, &["add", "--all"]);
        self.git(&folder, &["commit", "--quiet", "--message", "Start"]);
        folder
    }
}

/// Puts one table into another, table by table.
fn merge(whole: &mut toml::Table, addition: toml::Table) {
    for (key, value) in addition {
        match (whole.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(more)) => merge(inner, more),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}
