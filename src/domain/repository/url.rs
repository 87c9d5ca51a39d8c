//! Where a repository is cloned from, without what must stay secret.

use std::fmt;

/// A name and a password that stood in a URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    /// The name.
    pub(crate) user: String,
    /// The password or token.
    pub(crate) password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential { .. }")
    }
}

/// Where a repository is cloned from, as git on the host understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    credential: Option<Credential>,
}

impl Url {
    /// Takes a text apart; nothing where it could be taken for an option, or holds what no location holds.
    ///
    /// What stands before the `@` of an http address is taken out, because git would write it into its
    /// configuration and onto command lines. Elsewhere it is a login name and stays.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty()
            || text.len() > 2048
            || text.starts_with('-')
            || text.chars().any(char::is_control)
            // Transports that are commands, such as `ext::sh -c …`.
            || text.split_once("::").is_some_and(|(helper, _)| is_word(helper))
        {
            return None;
        }
        let plain = || Self {
            text: text.to_owned(),
            credential: None,
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Some(plain());
        };
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Some(plain());
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let Some((before, host)) = rest[..end].rsplit_once('@') else {
            return Some(plain());
        };
        let (user, password) = before.split_once(':').unwrap_or((before, ""));
        Some(Self {
            text: format!("{scheme}://{host}{}", &rest[end..]),
            credential: Some(Credential {
                user: decoded(user)?,
                password: decoded(password)?,
            }),
        })
    }

    /// Returns it without secrets.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the name and password that stood in it.
    pub(crate) const fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.'))
}

/// Undoes percent-encoding; nothing where a line break comes out, which would end the line git reads it from.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn what_is_secret_is_taken_out() {
        let url = Url::parse("https://me:t%40k%3Aen@example.org/a/b.git").expect("a url");
        assert_eq!(url.as_str(), "https://example.org/a/b.git");
        let credential = url.credential().expect("a credential");
        assert_eq!(
            (credential.user.as_str(), credential.password.as_str()),
            ("me", "t@k:en")
        );
        assert!(!format!("{url:?}").contains("t@k:en"));
        let token = Url::parse("https://token@example.org").expect("a url");
        assert_eq!(token.as_str(), "https://example.org");
        assert_eq!(token.credential().map(|it| it.user.as_str()), Some("token"));
    }

    #[test]
    fn what_is_a_login_name_stays() {
        for text in [
            "git@github.com:a/b.git",
            "ssh://git@example.org:22/a",
            "/srv/with space/a",
            "file:///srv/a",
            "https://example.org/a@b",
            "../sibling",
            "$(touch x)",
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!((url.as_str(), url.credential()), (text, None));
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_none() {
        for text in [
            "",
            "-uhttp://x",
            "--upload-pack=touch x",
            "ext::sh -c touch% x",
            "fd::17",
            "a\nb",
            "a\0b",
            "\u{1b}[2J",
            "https://a%0Ab:c@example.org/",
            &"x".repeat(2049),
        ] {
            assert_eq!(Url::parse(text), None, "{text:?}");
        }
    }
}
