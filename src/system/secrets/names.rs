//! Names of variables that hold secrets.

/// Words that such names end with, also as the end of a longer word: `NPM_AUTHTOKEN`.
const ENDINGS: &[&str] = &[
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
];

/// Words that stand in such names whole.
const WORDS: &[&str] = &["COOKIE", "COOKIES", "JWT", "BEARER"];

/// Words that such names end with after another one: `STRIPE_KEY`, but not `PWD`.
const LAST_WORDS: &[&str] = &["KEY", "KEYS", "PASS", "PWD", "PAT", "AUTH", "DSN", "PIN"];

/// Parts of such names.
const PARTS: &[&str] = &[
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "SECRET_KEY",
    "WEBHOOK_URL",
    "CUSTOM_HEADERS",
];

/// Names that look so and hold none.
const HARMLESS: &[&str] = &[
    "OLD_PWD",
    "GPG_KEY",
    "PUBLIC_KEY",
    "SORT_KEY",
    "PRIMARY_KEY",
];

/// Returns whether a variable of this name holds a secret.
pub(crate) fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let by_word = words
        .clone()
        .any(|word| WORDS.contains(&word) || ENDINGS.iter().any(|ending| word.ends_with(ending)));
    let has_several = words.clone().count() > 1;
    let by_end = has_several
        && words
            .next_back()
            .is_some_and(|last| LAST_WORDS.contains(&last));
    by_word || by_end || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::is_telling;

    #[test]
    fn names_tell_secrets_from_settings() {
        for telling in [
            "GH_TOKEN",
            "NPM_AUTHTOKEN",
            "ANTHROPIC_API_KEY",
            "db-password",
            "STRIPE_KEY",
            "MYSQL_PASS",
            "MYSQL_PWD",
            "AZURE_DEVOPS_PAT",
            "REDIS_AUTH",
            "SENTRY_DSN",
            "SESSION_COOKIE",
            "SERVICE_JWT",
            "SLACK_WEBHOOK_URL",
            "ANTHROPIC_CUSTOM_HEADERS",
            "SIGNING_KEYS",
        ] {
            assert!(is_telling(telling), "{telling}");
        }
        for harmless in [
            "MAX_THINKING_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "KEYBOARD",
            "KEY",
            "PATH",
            "PWD",
            "OLDPWD",
            "SSH_AUTH_SOCK",
            "SSH_ASKPASS",
            "GIT_ASKPASS",
            "COMPASS",
            "GPG_KEY",
            "LC_PAPER",
            "MONKEY",
        ] {
            assert!(!is_telling(harmless), "{harmless}");
        }
    }
}
