//! The environment variables of what runs in a workspace.

use std::collections::BTreeMap;

use crate::system::quote::quote_around;

/// Writes shell lines that set the variables of a profile.
///
/// They expand on the host, where `$worktree`, `$seed` and `$environment_folder` must be set to absolute paths.
/// `{path}` stands for the `PATH` found there.
pub(crate) fn exports(variables: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in variables {
        text.push_str("export ");
        text.push_str(name);
        text.push('=');
        text.push_str(&quote_around(value, &PLACES));
        text.push('\n');
    }
    text
}

/// Writes the shell function `set_variables`, which sets them.
pub(super) fn setter(variables: &BTreeMap<String, String>) -> String {
    format!("set_variables() {{\n:\n{}}}", exports(variables))
}

/// The places in a value, with the words of the shell that are filled in for them.
const PLACES: [(&str, &str); 5] = [
    ("{worktree}", "\"$worktree\""),
    ("{env}", "\"$environment_folder\""),
    ("{seed}", "\"$seed\""),
    ("{path}", "\"$PATH\""),
    ("{home}", "\"${HOME:-/}\""),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::exports;

    #[test]
    fn only_the_places_are_expanded() {
        let variables = BTreeMap::from([
            ("PATH".to_owned(), "{env}/bin:{path}".to_owned()),
            ("X".to_owned(), "$(touch x)'{other}".to_owned()),
        ]);
        assert_eq!(
            exports(&variables),
            "export PATH=\"$environment_folder\"'/bin:'\"$PATH\"\nexport X='$(touch x)'\\''{other}'\n"
        );
    }
}
