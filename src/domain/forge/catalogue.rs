//! Which forges there are.

use super::{IssueName, github::GitHub, interface::Forge};

/// All kinds of forges; the first one is meant where nothing else says which.
pub(super) static FORGES: &[&dyn Forge] = &[&GitHub];

/// Lists the names of all forges, as `source` of an issue says them.
pub(crate) fn names() -> Vec<&'static str> {
    FORGES.iter().map(|forge| forge.name()).collect()
}

/// Returns the forge that is meant where nothing else says which.
pub(super) fn usual() -> &'static dyn Forge {
    FORGES.first().copied().unwrap_or(&GitHub)
}

/// Returns the host of a page in one spelling; where none is given, that of the usual forge.
pub(crate) fn canonical_host(host: Option<&str>) -> String {
    let Some(host) = host.map(str::to_lowercase) else {
        return usual().home().to_owned();
    };
    FORGES
        .iter()
        .find(|forge| forge.is_alias(&host))
        .map_or(host, |forge| forge.home().to_owned())
}

/// Reads an issue's name off the path of its page, without the leading slash.
pub(crate) fn issue_on_page(path: &str) -> Option<IssueName> {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    FORGES.iter().find_map(|forge| forge.issue_on_page(&parts))
}
