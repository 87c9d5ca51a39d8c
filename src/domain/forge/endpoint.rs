//! Where a forge's interface is, and which token may go there.

use super::{
    Error,
    address::{authority, is_private},
    catalogue::{FORGES, canonical_host},
    interface::Forge,
};
use crate::{
    contract::configuration::Configuration,
    system::{
        Context,
        process::{self, Invocation},
    },
};

/// The interface of a forge, and whether this user's token may go there.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// What kind of forge it is.
    pub(super) forge: &'static dyn Forge,
    /// The base of the interface, without a slash at its end.
    pub(super) base: String,
    /// The host that the token is kept under; `None` where no token may go.
    pub(super) login_host: Option<String>,
}

impl Endpoint {
    /// Chooses the interface for the pages of a host.
    pub(super) fn of(context: &Context, host: Option<&str>) -> Result<Self, Error> {
        Self::choose(context.configuration()?, host)
    }

    /// Chooses the configured interface for the forge's own pages and those of the interface's host, else that of a further
    /// host that the configuration names.
    ///
    /// An address is text that anybody may have written, and asking for it says to its host what the path holds: a host
    /// that nobody here named is not asked. A token goes to the configured forge or to the forge's own, never to a host that merely stands in an address, and
    /// never over a connection that others can read.
    fn choose(configuration: &Configuration, host: Option<&str>) -> Result<Self, Error> {
        let host = canonical_host(host);
        let known = FORGES
            .iter()
            .find_map(|forge| Self::known(*forge, configuration, &host));
        if let Some(known) = known {
            return Ok(known);
        }
        let named = FORGES.iter().find(|forge| {
            let hosts = forge.further_hosts(configuration);
            hosts.iter().any(|known| known.eq_ignore_ascii_case(&host))
        });
        match named {
            Some(forge) => Ok(Self {
                forge: *forge,
                base: forge.interface_of(&host),
                login_host: None,
            }),
            None => Err(Error::UnknownHost {
                known: known_hosts(configuration),
                host,
            }),
        }
    }

    fn known(forge: &'static dyn Forge, configuration: &Configuration, host: &str) -> Option<Self> {
        match forge.configured(configuration) {
            Some(url) if host == forge.home() || is_page_host(host, &authority(url)) => {
                let url = url.trim_end_matches('/');
                Some(Self {
                    forge,
                    base: url.to_owned(),
                    login_host: is_private(url).then(|| forge.login_host(&authority(url))),
                })
            }
            None if host == forge.home() => Some(Self {
                forge,
                base: forge.own_interface().to_owned(),
                login_host: Some(host.to_owned()),
            }),
            Some(_) | None => None,
        }
    }

    /// Finds the token for this interface: an environment variable, or what the forge's own client keeps.
    ///
    /// What is public needs none.
    pub(super) async fn token(&self, context: &Context) -> Option<String> {
        let host = self.login_host.as_deref()?;
        let set = self
            .forge
            .token_variables()
            .iter()
            .find_map(|name| context.environment().get(name));
        if let Some(token) = set {
            return Some(token.trim().to_owned());
        }
        let command = self.forge.token_command(host)?;
        let (program, arguments) = command.split_first()?;
        let exit = process::run(Invocation::new(program).args(arguments).look(true)).await;
        let token = exit
            .ok()
            .filter(process::Exit::success)?
            .stdout_text()
            .trim()
            .to_owned();
        if token.is_empty() {
            return None;
        }
        context.learn_secret(&token);
        Some(token)
    }
}

/// Returns whether a host has the pages of an interface: they share it, or the interface is at `api.` before it.
fn is_page_host(host: &str, interface: &str) -> bool {
    interface == host || interface.strip_prefix("api.") == Some(host)
}

/// Lists the hosts whose pages may be named.
fn known_hosts(configuration: &Configuration) -> Vec<String> {
    FORGES
        .iter()
        .flat_map(|forge| {
            let configured = forge.configured(configuration).map(authority);
            std::iter::once(forge.home().to_owned())
                .chain(configured)
                .chain(forge.further_hosts(configuration).iter().cloned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Endpoint;
    use crate::contract::configuration::Configuration;

    #[test]
    fn a_token_goes_to_the_configured_forge_and_to_github_alone() {
        let chosen = |configured: Option<&str>, host: Option<&str>| {
            let mut configuration = Configuration::default();
            configuration.github.api_url = configured.map(str::to_owned);
            configuration.github.hosts = vec!["Forge.example:8443".to_owned()];
            let endpoint = Endpoint::choose(&configuration, host).ok()?;
            Some((endpoint.base, endpoint.login_host))
        };
        let is =
            |base: &str, login: Option<&str>| Some((base.to_owned(), login.map(str::to_owned)));
        let own = "https://ghe.example/api/v3/";
        for (configured, host, wanted) in [
            (None, None, is("https://api.github.com", Some("github.com"))),
            (
                None,
                Some("WWW.GitHub.com"),
                is("https://api.github.com", Some("github.com")),
            ),
            (None, Some("evil.example"), None),
            (None, Some("github.com.evil.example"), None),
            (None, Some("forge.example"), None),
            (
                None,
                Some("forge.example:8443"),
                is("https://forge.example:8443/api/v3", None),
            ),
            (
                Some(own),
                None,
                is("https://ghe.example/api/v3", Some("ghe.example")),
            ),
            (
                Some(own),
                Some("ghe.example"),
                is("https://ghe.example/api/v3", Some("ghe.example")),
            ),
            (Some(own), Some("evil.example"), None),
            (
                Some("https://api.acme.ghe.com"),
                Some("acme.ghe.com"),
                is("https://api.acme.ghe.com", Some("acme.ghe.com")),
            ),
            (
                Some("http://ghe.example"),
                None,
                is("http://ghe.example", None),
            ),
            (
                Some("http://127.0.0.1.evil.example"),
                None,
                is("http://127.0.0.1.evil.example", None),
            ),
            (
                Some("http://127.0.0.1@evil.example"),
                None,
                is("http://127.0.0.1@evil.example", None),
            ),
            (
                Some("http://127.0.0.1:8000"),
                None,
                is("http://127.0.0.1:8000", Some("127.0.0.1:8000")),
            ),
            (
                Some("https://api.github.com"),
                None,
                is("https://api.github.com", Some("github.com")),
            ),
        ] {
            assert_eq!(chosen(configured, host), wanted, "{configured:?} {host:?}");
        }
    }
}
