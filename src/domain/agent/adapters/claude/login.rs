//! The answer of `claude auth status`.

use serde::Deserialize;

use crate::domain::agent::{
    Login,
    excerpt::{SHORT, excerpt},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    logged_in: bool,
    #[serde(default)]
    auth_method: String,
    #[serde(default)]
    api_provider: String,
    api_key_source: Option<String>,
}

/// Reads the answer of `claude auth status`.
pub(super) fn read(output: &str) -> Login {
    let status = output
        .find('{')
        .zip(output.rfind('}'))
        .and_then(|(start, end)| output.get(start..=end))
        .and_then(|json| serde_json::from_str::<Status>(json).ok());
    let Some(status) = status else {
        return Login::unknown(format!(
            "its answer cannot be read: {}",
            excerpt(output.trim(), SHORT)
        ));
    };
    if !status.logged_in {
        return Login::logged_out("`claude auth status` reports loggedIn: false");
    }
    let source = status
        .api_key_source
        .map(|source| format!(" from {}", excerpt(&source, SHORT)))
        .unwrap_or_default();
    Login::logged_in(format!(
        "`claude auth status` reports loggedIn: true, by {}{source} at {}; the service was not asked",
        excerpt(&status.auth_method, SHORT),
        excerpt(&status.api_provider, SHORT),
    ))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::domain::agent::LoginState;

    #[test]
    fn logins_are_read_from_recorded_answers() {
        let inside = read(include_str!(
            "../../../../../tests/data/agents/claude/logged_in.txt"
        ));
        assert_eq!(inside.state, LoginState::LoggedIn);
        assert!(inside.evidence.contains("ANTHROPIC_API_KEY"), "{inside:?}");
        let outside = read(include_str!(
            "../../../../../tests/data/agents/claude/logged_out.txt"
        ));
        assert_eq!(outside.state, LoginState::LoggedOut);
        for strange in [
            "",
            "sh: 1: claude: not found",
            "{}",
            "{\"loggedIn\":\"yes\"}",
            "}{",
        ] {
            assert_eq!(read(strange).state, LoginState::Unknown, "{strange}");
        }
    }
}
