//! Secrets that are known by their shape, and words of our own that are.

use std::sync::LazyLock;

use aho_corasick::packed;
use memchr::memmem;

/// What stands in the place of a secret.
pub(super) const MASK: &str = "[secret]";

/// A token of a well-known shape has at least so many characters.
pub(super) const SHORTEST_TOKEN: usize = 20;

/// What well-known tokens start with: those of forges, package registries, model and cloud services, chats and payment services.
pub(super) const PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "gloas-",
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "whsec_",
    "xai-",
    "gsk_",
    "pplx-",
    "nvapi-",
    "r8_",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxs-",
    "xapp-",
    "hf_",
    "npm_",
    "pypi-",
    "dckr_pat_",
    "dop_v1_",
    "glsa_",
    "lin_api_",
    "shpat_",
    "tskey-",
    "AIza",
    "AKIA",
    "ASIA",
    "ATATT",
];

/// What else shows that a text may hold a secret: an address, a key in PEM, a JSON web token, a token of Google's.
pub(super) const SIGNS: &[&str] = &["://", "-----BEGIN ", "eyJ", "ya29."];

/// Parameters of addresses whose values are secrets, in lower case.
const PARAMETERS: &[&str] = &[
    "access_key",
    "access_token",
    "api_key",
    "apikey",
    "api-key",
    "auth",
    "auth_token",
    "authorization",
    "client_secret",
    "id_token",
    "jwt",
    "key",
    "oauth_token",
    "passwd",
    "password",
    "personal_access_token",
    "private_token",
    "pwd",
    "refresh_token",
    "secret",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
];

/// Finds a sign or a prefix.
static SHAPES: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(SIGNS.iter().chain(PREFIXES)));

/// Whether a text holds a sign or a prefix of a secret, wherever in a word.
pub(super) fn shape_is_in(text: &str) -> bool {
    SHAPES.as_ref().map_or_else(
        || SIGNS.iter().chain(PREFIXES).any(|part| text.contains(part)),
        |searcher| searcher.find(text).is_some(),
    )
}

/// Masks what is a secret by its shape; `None` where nothing is.
pub(super) fn mask_shapes(text: &str) -> Option<String> {
    let holds = |sign: &str| memmem::find(text.as_bytes(), sign.as_bytes()).is_some();
    let has_url = holds("://");
    // Most texts are too short to hold a token, and looking costs more than everything else about them.
    if text.len() < SHORTEST_TOKEN && !has_url {
        return None;
    }
    let mut masked = if holds("-----BEGIN ") {
        mask_keys(text)
    } else {
        None
    };
    if let Some(changed) = mask_tokens(masked.as_deref().unwrap_or(text)) {
        masked = Some(changed);
    }
    if has_url && let Some(changed) = mask_urls(masked.as_deref().unwrap_or(text)) {
        masked = Some(changed);
    }
    masked
}

const fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Returns the end of the word that begins somewhere.
fn word_end(text: &str, begin: usize) -> usize {
    let rest = &text.as_bytes()[begin..];
    begin
        + rest
            .iter()
            .position(|byte| !is_of_token(*byte))
            .unwrap_or(rest.len())
}

/// Masks words that look like well-known tokens; looks at each byte once, because every text that is written comes by.
fn mask_tokens(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut kept = 0;
    let mut begin = 0;
    for end in 0..=text.len() {
        let is_word = text
            .as_bytes()
            .get(end)
            .is_some_and(|byte| is_of_token(*byte));
        // What a token has taken in behind its first word is passed by.
        if is_word || end < begin {
            continue;
        }
        begin = match token_end(text, begin, end) {
            Some(token_end) => {
                masked.push_str(&text[kept..begin]);
                masked.push_str(MASK);
                kept = token_end;
                token_end + 1
            }
            None => end + 1,
        };
    }
    (kept > 0).then(|| masked + &text[kept..])
}

/// Returns the end of a token that begins with the word `begin..end`, if one does.
fn token_end(text: &str, begin: usize, end: usize) -> Option<usize> {
    // The shortest beginning of a token is `ya29`; most words are passed by here.
    if end - begin < 4 {
        return None;
    }
    let word = &text[begin..end];
    let after_dot = |end: usize| {
        (text.as_bytes().get(end) == Some(&b'.')).then(|| (end + 1, word_end(text, end + 1)))
    };
    if word.len() >= SHORTEST_TOKEN && PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
        return Some(end);
    }
    if word == "ya29" {
        let (begin, end) = after_dot(end)?;
        return (end - begin >= SHORTEST_TOKEN).then_some(end);
    }
    // A JSON web token: header, claims and signature, the first two of which are objects in base64.
    if word.len() >= 10 && word.starts_with("eyJ") {
        let (begin, end) = after_dot(end)?;
        if !text[begin..end].starts_with("eyJ") {
            return None;
        }
        return Some(after_dot(end).map_or(end, |(_, end)| end));
    }
    None
}

/// Masks what stands between the lines of a private key in PEM, or to the end of the text where it has no last line.
fn mask_keys(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find("-----BEGIN ") {
        let Some(length) = rest[at + 11..].find("-----") else {
            break;
        };
        let label = &rest[at + 11..at + 11 + length];
        let body = at + 11 + length + 5;
        if !label.ends_with("PRIVATE KEY") {
            masked.push_str(&rest[..body]);
            rest = &rest[body..];
            continue;
        }
        masked.push_str(&rest[..body]);
        masked.push_str(MASK);
        let end = rest[body..]
            .find("-----END")
            .map_or(rest.len(), |end| body + end);
        changed |= &rest[body..end] != MASK;
        rest = &rest[end..];
    }
    masked.push_str(rest);
    changed.then_some(masked)
}

/// Masks the secrets in addresses: what stands before the `@` (all of it under http, the password elsewhere), and parameters.
fn mask_urls(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let after = at + 3;
        let is_end = |c: char| matches!(c, '"' | '\'' | '<' | '>' | '`') || c.is_whitespace();
        let end = rest[after..]
            .find(is_end)
            .map_or(rest.len(), |end| after + end);
        let path = rest[after..end]
            .find(['/', '?', '#'])
            .map_or(end, |path| after + path);
        let scheme = rest[..at].to_ascii_lowercase();
        let is_http = scheme.ends_with("http") || scheme.ends_with("https");
        masked.push_str(&rest[..after]);
        mask_login(&rest[after..path], is_http, &mut masked);
        mask_parameters(&rest[path..end], &mut masked);
        rest = &rest[end..];
    }
    masked.push_str(rest);
    (masked != text).then_some(masked)
}

fn mask_login(authority: &str, is_http: bool, masked: &mut String) {
    let Some(sign) = authority.rfind('@') else {
        masked.push_str(authority);
        return;
    };
    let login = &authority[..sign];
    match login.find(':') {
        _ if is_http => masked.push_str(MASK),
        Some(colon) => {
            masked.push_str(&login[..=colon]);
            masked.push_str(MASK);
        }
        None => masked.push_str(login),
    }
    masked.push_str(&authority[sign..]);
}

/// Masks the values of parameters that are secrets, in the query and in the fragment.
fn mask_parameters(path: &str, masked: &mut String) {
    let Some(query) = path.find(['?', '#']) else {
        masked.push_str(path);
        return;
    };
    masked.push_str(&path[..query]);
    for part in path[query..].split_inclusive(['?', '#', '&', ';']) {
        let (value, separator) = match part.char_indices().next_back() {
            Some((end, '?' | '#' | '&' | ';')) => part.split_at(end),
            _ => (part, ""),
        };
        match value.split_once('=') {
            Some((name, value)) if is_secret_parameter(name) && !value.is_empty() => {
                masked.push_str(name);
                masked.push('=');
                masked.push_str(MASK);
            }
            _ => masked.push_str(value),
        }
        masked.push_str(separator);
    }
}

fn is_secret_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
}

/// Returns whether a word is one that legwork or git made: the id of a job, a digest, the id of a commit, a UUID.
///
/// A secret that is a part of such a word by chance is not masked there; one that is the whole word is.
pub(super) fn is_made_here(word: &str) -> bool {
    let is_hex = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_job = word
        .rsplit_once('-')
        .is_some_and(|(name, digest)| !name.is_empty() && digest.len() == 12 && is_hex(digest));
    let is_uuid = word.len() == 36
        && word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && word.split('-').all(is_hex);
    is_job || is_uuid || word.len() >= 40 && is_hex(word)
}

/// Returns whether a text is a time as legwork writes it (RFC 3339, UTC).
pub(super) fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    (20..=35).contains(&bytes.len())
        && bytes.ends_with(b"Z")
        && bytes.get(10) == Some(&b'T')
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z'))
}

/// Returns whether a secret is an ordinary word, such as `postgres` or `list-jobs`: at most three words of small letters.
pub(super) fn is_ordinary(secret: &str) -> bool {
    let words = secret.split(['-', '_', '.']);
    secret.len() <= 24
        && words.clone().count() <= 3
        && words
            .into_iter()
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{is_made_here, is_ordinary, is_time, mask_shapes};

    #[test]
    fn tokens_of_every_maker_are_masked() {
        for token in [
            "ghp_0123456789abcdefghij0123",
            "npm_0123456789abcdefghij0123",
            "pypi-AgEIcHlwaS5vcmcCJDAwMDAw",
            "sk_live_0123456789abcdefghij",
            "AIzaSyA0123456789abcdefghijk",
            "ASIA0123456789ABCDEF0",
            "xai-0123456789abcdefghij",
            "gsk_0123456789abcdefghij",
            "ya29.a0AfH6SMBx0123456789abcdef",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        ] {
            let text = format!("before {token}, after");
            assert_eq!(
                mask_shapes(&text).as_deref(),
                Some("before [secret], after"),
                "{token}"
            );
        }
        for harmless in [
            "eyJhbGciOiJIUzI1NiJ9 is half a token",
            "sk-learn and scikit-learn are libraries",
            "a plain text of more than twenty characters",
        ] {
            assert_eq!(mask_shapes(harmless), None, "{harmless}");
        }
    }

    #[test]
    fn private_keys_are_masked_and_certificates_are_not() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n";
        assert_eq!(
            mask_shapes(key).as_deref(),
            Some("-----BEGIN OPENSSH PRIVATE KEY-----[secret]-----END OPENSSH PRIVATE KEY-----\n")
        );
        assert_eq!(
            mask_shapes("-----BEGIN PRIVATE KEY-----\nMIIEvQ").as_deref(),
            Some("-----BEGIN PRIVATE KEY-----[secret]")
        );
        assert_eq!(mask_shapes("-----BEGIN CERTIFICATE-----\nMIIEvQ"), None);
    }

    #[test]
    fn addresses_lose_their_secrets_and_nothing_else() {
        for (address, shown) in [
            ("https://me:pw@x.org/r", "https://[secret]@x.org/r"),
            ("HTTPS://token@x.org/r", "HTTPS://[secret]@x.org/r"),
            ("ssh://git@h:22/p", "ssh://git@h:22/p"),
            ("SSH://u:pw@h/p", "SSH://u:[secret]@h/p"),
            (
                "https://x.org/a?private_token=abc&page=2#frag",
                "https://x.org/a?private_token=[secret]&page=2#frag",
            ),
            (
                "'https://x.org/a?b=1&Access_Token=abc' and more",
                "'https://x.org/a?b=1&Access_Token=[secret]' and more",
            ),
            (
                "https://s3/x?X-Amz-Date=1&X-Amz-Signature=0123&X-Amz-Credential=AK",
                "https://s3/x?X-Amz-Date=1&X-Amz-Signature=[secret]&X-Amz-Credential=[secret]",
            ),
            (
                "https://x/#access_token=abc",
                "https://x/#access_token=[secret]",
            ),
            ("https://x/a?page=2&token=", "https://x/a?page=2&token="),
            ("https://x/token=abc", "https://x/token=abc"),
        ] {
            let masked = mask_shapes(address);
            assert_eq!(masked.as_deref().unwrap_or(address), shown);
            assert_eq!(mask_shapes(shown), None, "{shown}");
        }
    }

    #[test]
    fn words_made_here_are_known() {
        for word in [
            "widgets-x-908b4d1c22aa",
            "0123456789abcdef0123456789abcdef01234567",
            "8d7ff8de-8a3b-8c4d-9e5f-0123456789ab",
        ] {
            assert!(is_made_here(word), "{word}");
        }
        for word in [
            "widgets",
            "hunter2-hunter2",
            "0123456789abcdef",
            "-0123456789ab",
        ] {
            assert!(!is_made_here(word), "{word}");
        }
        assert!(is_time("2026-11-26T22:31:22Z") && is_time("2026-11-26T22:31:22.123456789Z"));
        assert!(!is_time("2026-11-26") && !is_time("2026-11-26T22:31:22+01:00 or so"));
    }

    #[test]
    fn ordinary_words_are_told_from_passwords() {
        for word in ["postgres", "my-app", "job_id"] {
            assert!(is_ordinary(word), "{word}");
        }
        for password in [
            "hunter2",
            "Postgres",
            "plain-hunter2-password",
            "correct horse",
            "correct-horse-battery-staple",
        ] {
            assert!(!is_ordinary(password), "{password}");
        }
    }
}
