//! Where the server is and who asks: the URL, taken apart, and never shown whole.

use std::{net::IpAddr, str::FromStr as _};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

/// The port where the URL names none.
const PORT: u16 = 5432;

/// A URL that can be connected to.
#[derive(Clone)]
pub(crate) struct Address {
    pub(super) config: Config,
    shown: String,
}

/// Why a URL cannot be connected to. What it says shows nothing of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAddress {
    /// It is none.
    #[error(
        "it is no URL of a PostgreSQL database, such as postgres://user@/name?host=/run/postgresql"
    )]
    Malformed,
    /// It asks for encryption.
    #[error(
        "it asks for TLS (sslmode), which legwork does not speak; use a socket or an SSH tunnel, and sslmode=disable"
    )]
    Tls,
    /// It leads over a network and does not say that it may do so in the clear.
    #[error(
        "the server is on another machine, and legwork speaks no TLS: use an SSH tunnel, or allow plain text by sslmode=disable"
    )]
    PlainNetwork,
}

impl Address {
    /// Takes a URL apart.
    pub(crate) fn parse(url: &str) -> Result<Self, BadAddress> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(BadAddress::Malformed);
        }
        let modes = ["disable", "prefer"];
        let mode = parameter(url, "sslmode");
        if mode.is_some_and(|mode| !modes.contains(&mode))
            || ["sslcert", "sslkey", "sslrootcert", "sslnegotiation"]
                .iter()
                .any(|name| parameter(url, name).is_some())
        {
            return Err(BadAddress::Tls);
        }
        let mut config = Config::from_str(url).map_err(|_shows_parts| BadAddress::Malformed)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(BadAddress::Malformed);
        }
        if mode != Some("disable") && !stays_here(&config) {
            return Err(BadAddress::PlainNetwork);
        }
        config
            .ssl_mode(SslMode::Disable)
            .application_name("legwork");
        Ok(Self {
            shown: shown(&config),
            config,
        })
    }

    /// Returns what may be shown of it: the servers and the name of the database.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the password in a URL, as it is written and as it is meant, for masking them.
    pub(crate) fn passwords(url: &str) -> Vec<String> {
        let written = url
            .split_once("://")
            .and_then(|(_, rest)| rest.split(['/', '?']).next())
            .and_then(|authority| authority.rsplit_once('@'))
            .and_then(|(user, _)| user.split_once(':'))
            .map(|(_, password)| password.to_owned());
        let meant = Config::from_str(url).ok().and_then(|config| {
            let password = config.get_password()?;
            Some(String::from_utf8_lossy(password).into_owned())
        });
        let named = parameter(url, "password").map(str::to_owned);
        written
            .into_iter()
            .chain(meant)
            .chain(named)
            .filter(|password| !password.is_empty())
            .collect()
    }
}

impl Address {
    /// Returns a URL without its password, for people to read.
    pub(crate) fn masked(url: &str) -> String {
        let mut shown = url.to_owned();
        for password in Self::passwords(url) {
            shown = shown
                .replace(&format!(":{password}@"), ":***@")
                .replace(&format!("password={password}"), "password=***");
        }
        shown
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Returns a parameter behind the question mark, as it is written.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// Returns whether nothing leaves this machine.
fn stays_here(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = ports.get(index).or(ports.first()).unwrap_or(&PORT);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .chain(config.get_hostaddrs().iter().map(ToString::to_string))
        .collect();
    let name = config.get_dbname().or(config.get_user()).unwrap_or("");
    format!("PostgreSQL {name} at {}", hosts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Address, BadAddress};

    #[test]
    fn what_is_shown_holds_no_password() {
        for (url, shown) in [
            (
                "postgres://ada:pa%40ss@127.0.0.1:17/work",
                "PostgreSQL work at 127.0.0.1:17",
            ),
            (
                "postgresql://ada:pass@localhost/work?connect_timeout=3",
                "PostgreSQL work at localhost:5432",
            ),
            (
                "postgres://ada@/work?host=/run/pg&port=9",
                "PostgreSQL work at /run/pg:9",
            ),
            (
                "postgres://ada:pass@db.example.org/work?sslmode=disable",
                "PostgreSQL work at db.example.org:5432",
            ),
        ] {
            let address = Address::parse(url).expect(url);
            assert_eq!(address.shown(), shown);
            assert_eq!(format!("{address:?}"), shown);
        }
        let url = "postgres://ada:pa%40ss@127.0.0.1/work";
        assert_eq!(Address::masked(url), "postgres://ada:***@127.0.0.1/work");
        assert_eq!(
            Address::masked("postgres://ada@/work?host=/x&password=abc"),
            "postgres://ada@/work?host=/x&password=***"
        );
        assert_eq!(Address::passwords(url), ["pa%40ss", "pa@ss"]);
        assert_eq!(Address::passwords("postgres://ada@/work?host=/x"), [""; 0]);
    }

    #[test]
    fn what_cannot_be_spoken_is_refused() {
        for (url, wanted) in [
            ("mysql://ada@localhost/work", BadAddress::Malformed),
            ("postgres://ada@localhost:port/work", BadAddress::Malformed),
            ("postgres://ada@/work", BadAddress::Malformed),
            (
                "postgres://ada@localhost/work?sslmode=require",
                BadAddress::Tls,
            ),
            (
                "postgres://ada@db.example.org/work?sslmode=verify-full",
                BadAddress::Tls,
            ),
            (
                "postgres://ada@localhost/work?sslrootcert=/x",
                BadAddress::Tls,
            ),
            (
                "postgres://ada@db.example.org/work",
                BadAddress::PlainNetwork,
            ),
            (
                "postgres://ada@db.example.org/work?sslmode=prefer",
                BadAddress::PlainNetwork,
            ),
        ] {
            assert_eq!(Address::parse(url).map(drop), Err(wanted), "{url}");
        }
    }
}
