//! A real OpenSSH server of its own for one test, with the home of a machine of its own.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, SocketAddrV4, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    descendants, kill,
    world::{GIT_CONFIGURATION, World},
};

const SERVER: &str = "/usr/sbin/sshd";
const PORT: u16 = 22022;

/// The limits of the server.
#[derive(Clone, Copy)]
pub(crate) enum Limits {
    /// As OpenSSH ships: 10 sessions a connection, 10 connections that are still logging in.
    Stock,
    /// Sessions a connection, and connections that are still logging in.
    Of(u16, u16),
}

/// A running server, which one test reaches by an alias of its ssh configuration.
///
/// Programs that it starts have the home folder [`Sshd::home`], although they start in the home folder
/// of the user that runs the tests: the folder is not changed by the variable.
pub(crate) struct Sshd {
    alias: String,
    folder: PathBuf,
    address: Ipv4Addr,
    server: Option<Child>,
}

impl Sshd {
    /// Starts a server as OpenSSH ships it.
    pub(crate) fn start(world: &World, alias: &str) -> Self {
        Self::start_with(world, alias, Limits::Stock, &[])
    }

    /// Starts a server with limits of its own, and with folders in front of the PATH of its programs.
    pub(crate) fn start_with(world: &World, alias: &str, limits: Limits, path: &[&Path]) -> Self {
        assert!(
            Path::new(SERVER).exists(),
            "{SERVER} is missing: `apt-get install openssh-server`, or `bash tests/run.sh`"
        );
        let folder = world.path("ssh").join(alias);
        let home = folder.join("home");
        fs::create_dir_all(&home).expect("the home of the host");
        fs::write(home.join(".gitconfig"), GIT_CONFIGURATION).expect("git's configuration");
        let address = free_address();
        make_key(world, &world.path("ssh/id"));
        make_key(world, &folder.join("host_key"));
        let public =
            fs::read_to_string(world.path("ssh/id.pub")).expect("the public key of the client");
        fs::write(folder.join("authorized_keys"), public).expect("the authorized keys");

        let mut search: Vec<String> = path.iter().map(|p| p.display().to_string()).collect();
        search.push(world.search_path().to_owned());
        let limits = match limits {
            Limits::Stock => String::new(),
            Limits::Of(sessions, startups) => {
                format!("MaxSessions {sessions}\nMaxStartups {startups}\n")
            }
        };
        let here = folder.display();
        fs::write(
            folder.join("sshd_config"),
            format!(
                "Port {PORT}\nListenAddress {address}\nHostKey {here}/host_key\nPidFile none\n\
                 AuthorizedKeysFile {here}/authorized_keys\nPermitRootLogin prohibit-password\n\
                 PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\n\
                 UseDNS no\nSubsystem sftp internal-sftp\n{limits}\
                 SetEnv HOME={} PATH={} LANG=C.UTF-8 GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0\n",
                home.display(),
                search.join(":"),
            ),
        )
        .expect("the server's configuration");

        let host_key = fs::read_to_string(folder.join("host_key.pub")).expect("the host key");
        let known = world.path("ssh/known_hosts");
        append(&known, &format!("[{address}]:{PORT} {host_key}"));
        append(
            &world.ssh_config(),
            &format!(
                "Host {alias}\n  HostName {address}\n  Port {PORT}\n  User {}\n  IdentityFile {}\n  \
                 IdentitiesOnly yes\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  \
                 StrictHostKeyChecking yes\n",
                user(),
                world.path("ssh/id").display(),
                known.display(),
            ),
        );
        let mut sshd = Self {
            alias: alias.to_owned(),
            folder,
            address,
            server: None,
        };
        sshd.start_again();
        sshd
    }

    /// Starts the server at the address it had.
    pub(crate) fn start_again(&mut self) {
        assert!(self.server.is_none(), "{} is running", self.alias);
        if user() == "root" {
            fs::create_dir_all("/run/sshd").expect("the folder sshd separates privileges in");
        }
        let log = fs::File::create(self.log()).expect("the server's log");
        let server = Command::new(SERVER)
            .args(["-D", "-e", "-f"])
            .arg(self.folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd starts");
        self.server = Some(server);
        let address = SocketAddrV4::new(self.address, PORT);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(
                Instant::now() < deadline,
                "sshd does not listen: {}",
                fs::read_to_string(self.log()).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the server, and the connections it has.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        for connection in connections(server.id()) {
            kill(connection);
        }
        server.kill().expect("sshd is killed");
        server.wait().expect("sshd ends");
    }

    /// Returns the alias by which the ssh client finds it.
    pub(crate) fn alias(&self) -> &str {
        &self.alias
    }

    /// Returns the folder that is the home of the programs it starts.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Returns its address and port.
    pub(crate) fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.address, PORT)
    }

    /// Returns the file it complains into.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Returns whether a program that it runs for somebody is between two looks: it sleeps.
    pub(crate) fn is_waited_on(&self) -> bool {
        self.server.as_ref().is_some_and(|server| {
            descendants(server.id())
                .iter()
                .any(|(_, name)| name == "sleep")
        })
    }

    /// Returns how often somebody has logged in since it was started.
    pub(crate) fn logins(&self) -> usize {
        fs::read_to_string(self.log())
            .expect("the server's log")
            .lines()
            .filter(|line| line.contains("Accepted publickey"))
            .count()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns an address of the loopback network that no other server of these tests has.
///
/// A port of a shared address could be taken by an outgoing connection between its choice and its use.
fn free_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    let process = std::process::id().to_be_bytes();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(number < 255, "too many servers in one process");
    Ipv4Addr::new(127, process[2], process[3], number)
}

/// Makes a key pair, where there is none yet.
fn make_key(world: &World, file: &Path) {
    if file.exists() {
        return;
    }
    let status = world
        .command("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(file)
        .status()
        .expect("ssh-keygen starts");
    assert!(status.success(), "ssh-keygen: {status}");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a private key");
}

fn append(file: &Path, text: &str) {
    fs::File::options()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("a file of the ssh client");
}

/// Returns the name of the user that runs the tests.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id starts");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Returns the processes that serve connections: descendants of the server that are still sshd (`sshd-session` since OpenSSH 9.8).
fn connections(server: u32) -> Vec<u32> {
    descendants(server)
        .into_iter()
        .filter(|(_, name)| name.starts_with("sshd"))
        .map(|(process, _)| process)
        .collect()
}

/// Returns the ssh clients here that hold connections of a world.
pub(crate) fn masters(world: &World) -> Vec<u32> {
    let root = world.path("").display().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        let mut words = command.split('\0');
        if words.next() == Some("ssh") && words.any(|word| word == "-M") && command.contains(&root)
        {
            found.push(pid);
        }
    }
    found
}
