//! Keeping secrets out of everything that is written.

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError, RwLock},
};

use memchr::memmem;
use serde_json::{Value, value::RawValue};

use super::environment::Environment;

/// What stands in the place of a secret.
const MASK: &str = "[secret]";

/// Words that names of secrets end with.
const WORDS: &[&str] = &[
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
];

/// Parts of the names of secrets.
const PARTS: &[&str] = &["API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY"];

/// A token of a well-known shape has at least so many characters.
const SHORTEST_TOKEN: usize = 20;

/// What well-known tokens start with.
const PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "sk-",
    "xoxb-",
    "xoxp-",
    "hf_",
    "AKIA",
];

/// Knows secrets and takes them out of texts; what one copy learns, all copies know.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    known: Arc<RwLock<Vec<String>>>,
}

/// Returns whether a variable of this name holds a secret.
pub(crate) fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    name.split('_')
        .any(|word| WORDS.iter().any(|telling| word.ends_with(telling)))
        || PARTS.iter().any(|part| name.contains(part))
}

impl Redactor {
    /// Takes the secrets from the environment, by the names of the variables.
    pub(crate) fn of_environment(environment: &Environment) -> Self {
        let redactor = Self::default();
        for (name, value) in environment.iter() {
            if is_telling(name) {
                redactor.learn(value);
            }
        }
        redactor
    }

    /// Adds a secret; one under six characters is too common to be taken out of texts.
    ///
    /// The lines of one that has several are secrets too, for what quotes it may quote a part.
    pub(crate) fn learn(&self, secret: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let lines = secret
            .lines()
            .map(str::trim)
            .filter(|line| line.len() >= 16);
        for secret in [secret].into_iter().chain(lines) {
            if secret.chars().count() < 6 {
                continue;
            }
            // Messages quote with escapes, and pointers have escapes of their own.
            let quoted = format!("{secret:?}");
            let pointer = secret.replace('~', "~0").replace('/', "~1");
            for form in [secret, within(&quoted), &pointer] {
                if !known.iter().any(|other| other == form) {
                    known.push(form.to_owned());
                }
            }
        }
        // Longer ones first, so that one inside another does not leave the rest of it standing.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Takes all secrets out of a text.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for secret in known.iter() {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), MASK));
            }
        }
        // Most texts are too short to hold a token, and looking costs more than everything else about them.
        if text.len() >= SHORTEST_TOKEN
            && let Some(masked) = mask_tokens(&text)
        {
            text = Cow::Owned(masked);
        }
        if text.contains("://")
            && let Some(masked) = mask_urls(&text)
        {
            text = Cow::Owned(masked);
        }
        text
    }

    /// Takes all secrets out of all texts in a value that is written as JSON.
    pub fn json(&self, json: Box<RawValue>) -> Box<RawValue> {
        if !self.may_be_in(json.get()) {
            return json;
        }
        // It was written from a value a moment ago; what cannot be read again is not passed on.
        let mut value = serde_json::from_str(json.get()).unwrap_or_default();
        self.value(&mut value);
        serde_json::value::to_raw_value(&value).unwrap_or_default()
    }

    /// Whether anything in JSON might have to be masked. Saying so without need costs time; not saying so, a secret.
    fn may_be_in(&self, json: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // Every answer is searched for every secret, and this search is several times quicker than that of the
        // standard library.
        let holds = |part: &str| memmem::find(json.as_bytes(), part.as_bytes()).is_some();
        known
            .iter()
            .any(|secret| holds(within(&Value::from(secret.as_str()).to_string())))
            || holds("://")
            // The letter of an escape may stand right before a token, so where a word begins says nothing here.
            || PREFIXES.iter().any(|prefix| holds(prefix))
    }

    /// Takes all secrets out of all texts in a value, the names of fields included.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.text(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                let dirty: Vec<String> = fields
                    .keys()
                    .filter(|name| matches!(self.text(name), Cow::Owned(_)))
                    .cloned()
                    .collect();
                for name in dirty {
                    if let Some(field) = fields.remove(&name) {
                        fields.insert(self.text(&name).into_owned(), field);
                    }
                }
                fields.values_mut().for_each(|field| self.value(field));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Returns what is between the quotes.
fn within(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}

const fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Masks words that look like well-known tokens; looks at each byte once, because every text that is written comes by.
fn mask_tokens(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut kept = 0;
    let mut begin = 0;
    for end in 0..=text.len() {
        if text
            .as_bytes()
            .get(end)
            .is_some_and(|byte| is_of_token(*byte))
        {
            continue;
        }
        if end - begin >= SHORTEST_TOKEN {
            let word = &text[begin..end];
            if PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
                masked.push_str(&text[kept..begin]);
                masked.push_str(MASK);
                kept = end;
            }
        }
        begin = end + 1;
    }
    (kept > 0).then(|| masked + &text[kept..])
}

/// Masks what stands before the `@` of a URL: all of it under http, the password elsewhere.
fn mask_urls(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find("://") {
        let after = at + 3;
        let end = rest[after..]
            .find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace())
            .map_or(rest.len(), |end| after + end);
        let is_http = rest[..at].ends_with("http") || rest[..at].ends_with("https");
        masked.push_str(&rest[..after]);
        let authority = &rest[after..end];
        match authority.rfind('@') {
            Some(sign) if is_http => {
                masked.push_str(MASK);
                masked.push_str(&authority[sign..]);
                changed |= &authority[..sign] != MASK;
            }
            Some(sign) => match authority[..sign].find(':') {
                Some(colon) => {
                    masked.push_str(&authority[..=colon]);
                    masked.push_str(MASK);
                    masked.push_str(&authority[sign..]);
                    changed |= &authority[colon + 1..sign] != MASK;
                }
                None => masked.push_str(authority),
            },
            None => masked.push_str(authority),
        }
        rest = &rest[end..];
    }
    masked.push_str(rest);
    changed.then_some(masked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Redactor, is_telling};

    #[test]
    fn names_tell_secrets_from_settings() {
        for telling in [
            "GH_TOKEN",
            "NPM_AUTHTOKEN",
            "ANTHROPIC_API_KEY",
            "db-password",
        ] {
            assert!(is_telling(telling), "{telling}");
        }
        for harmless in [
            "MAX_THINKING_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "KEYBOARD",
            "PATH",
        ] {
            assert!(!is_telling(harmless), "{harmless}");
        }
    }

    #[test]
    fn known_and_shaped_secrets_go_and_the_rest_stays() {
        let redactor = Redactor::default();
        redactor.learn("hunter2-hunter2");
        let text = "a hunter2-hunter2 ghp_0123456789abcdefghij0123 https://me:pw@x.org/r ssh://git@h:22/p ssh://u:pw@h sk-learn";
        assert_eq!(
            redactor.text(text),
            "a [secret] [secret] https://[secret]@x.org/r ssh://git@h:22/p ssh://u:[secret]@h sk-learn"
        );
        assert!(matches!(
            redactor.text("plain"),
            std::borrow::Cow::Borrowed(_)
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_already_is_masked_as_a_value_is(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "p~/\"w\u{1}rd\u{e9}", "p~0~1\"w\u{1}rd\u{e9}", "pass\u{1}", "ghp_0123456789abcdefghij0123", "hf_0123456789abcdefghij",
                    "https://me:pw@x.org/r", "ssh://u:pw@h", "sk-", "\n", "\t", "\"", "\\", " ", "x", "_", "0123456789abcdef",
                ]),
                0..6,
            ),
        ) {
            let redactor = Redactor::default();
            redactor.learn("p~/\"w\u{1}rd\u{e9}");
            let text = pieces.concat();
            let mut value = json!({"list": [text.as_str()], text.as_str(): 1});
            let written = serde_json::value::to_raw_value(&value).expect("JSON");
            redactor.value(&mut value);
            let masked = redactor.json(written);
            prop_assert_eq!(masked.get(), value.to_string());
        }
    }
}
