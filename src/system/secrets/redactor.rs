//! The one object that knows the secrets of this process and takes them out of texts.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use memchr::memmem::Finder;
use serde_json::{Map, Value, value::RawValue};

use super::{
    Leaks, is_telling,
    shapes::{MASK, is_made_here, is_ordinary, is_time, mask_shapes, shape_is_in},
};
use crate::{
    contract::{
        places::{Kind, Place},
        validation,
    },
    system::environment::{AUTHORIZATION_KEY, Environment},
};

/// A shorter secret is too common to be taken out of texts, in characters.
const SHORTEST: usize = 6;
/// A shorter line of a secret of several lines may stand anywhere, in bytes.
const SHORTEST_LINE: usize = 16;

/// Knows secrets and takes them out of texts; what one copy learns, all copies know.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    known: Arc<RwLock<Vec<Secret>>>,
    clashes: Arc<Mutex<Clashes>>,
}

/// A text that is to be masked, and the variable it came from.
#[derive(Clone, Debug)]
struct Secret {
    text: String,
    /// Finds it in a text.
    finder: Finder<'static>,
    /// Finds it in JSON, where it may be written with escapes.
    json_finder: Finder<'static>,
    variable: Option<Arc<str>>,
}

impl Secret {
    fn new(text: &str, variable: Option<&Arc<str>>) -> Self {
        let written = Value::from(text).to_string();
        Self {
            text: text.to_owned(),
            finder: Finder::new(text).into_owned(),
            json_finder: Finder::new(within(&written)).into_owned(),
            variable: variable.cloned(),
        }
    }

    /// Takes it out of a text, except where it is a part of a word that was made here; `None` where it is nowhere else.
    fn taken_from(&self, text: &str) -> Option<String> {
        let mut masked = String::new();
        let mut kept = 0;
        let mut from = 0;
        while let Some(at) = self.finder.find(&text.as_bytes()[from..]) {
            let (begin, end) = (from + at, from + at + self.text.len());
            let word = word_around(text, begin, end);
            let is_part_of_id = word.len() > self.text.len() && is_made_here(word);
            if is_part_of_id || is_in_mask(text, begin, &self.text) {
                from = end;
                continue;
            }
            masked.push_str(&text[kept..begin]);
            masked.push_str(MASK);
            (kept, from) = (end, end);
        }
        (kept > 0).then(|| masked + &text[kept..])
    }
}

/// Variables whose secret is also a word of legwork's own.
#[derive(Debug, Default)]
struct Clashes {
    new: BTreeSet<Arc<str>>,
    reported: BTreeSet<Arc<str>>,
}

impl Redactor {
    /// Takes the secrets from the environment, by the names of the variables.
    pub(crate) fn of_environment(environment: &Environment) -> Self {
        let redactor = Self::default();
        for (name, value) in environment.iter() {
            if is_telling(name) {
                redactor.learn_variable(name, value);
            }
        }
        if let Some(key) = environment.authorization_key() {
            redactor.learn_variable(AUTHORIZATION_KEY, key);
        }
        redactor
    }

    /// Adds a secret; one of fewer than six characters is too common to be taken out of texts.
    ///
    /// The lines of one that has several are secrets too, for what quotes it may quote a part.
    pub(crate) fn learn(&self, secret: &str) {
        self.add(secret, None);
    }

    /// Adds the secret that a variable holds.
    pub(crate) fn learn_variable(&self, name: &str, secret: &str) {
        self.add(secret, Some(&Arc::from(name)));
    }

    fn add(&self, secret: &str, variable: Option<&Arc<str>>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let lines = secret
            .lines()
            .map(str::trim)
            .filter(|line| line.len() >= SHORTEST_LINE);
        for secret in [secret].into_iter().chain(lines) {
            if secret.chars().count() < SHORTEST {
                continue;
            }
            // Messages quote with escapes, and pointers have escapes of their own.
            let quoted = format!("{secret:?}");
            let pointer = validation::escape(secret);
            for form in [secret, within(&quoted), &pointer] {
                if !known.iter().any(|other| other.text == form) {
                    known.push(Secret::new(form, variable));
                }
            }
        }
        // Longer ones first, so that one inside another does not leave the rest of it standing.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.text.len()));
    }

    /// Returns what finds the secrets known now in bytes that are to stay as they are.
    pub(crate) fn leaks(&self) -> Leaks {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Leaks::of(
            known
                .iter()
                .map(|secret| (secret.text.as_str(), secret.variable.as_deref())),
        )
    }

    /// Takes all secrets out of a free text.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.masked(text, |_| true)
    }

    /// Takes out of a text the secrets that are to be masked, and what is a secret by its shape.
    fn masked<'a>(&self, text: &'a str, is_masked: impl Fn(&str) -> bool) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for secret in known.iter().filter(|secret| is_masked(&secret.text)) {
            if let Some(masked) = secret.taken_from(&text) {
                text = Cow::Owned(masked);
            }
        }
        match mask_shapes(&text) {
            Some(masked) => Cow::Owned(masked),
            None => text,
        }
    }

    /// Takes the secrets out of all texts of a JSON value that has no schema, the names of fields included.
    pub fn value(&self, value: &mut Value) {
        self.walk(value, None);
    }

    /// Takes the secrets out of all texts of a JSON value whose fields are all legwork's own.
    pub fn texts(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|field| self.texts(field)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.texts(item)),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.walk(value, None);
            }
        }
    }

    /// Takes the secrets out of a value that fits a schema, which still fits it afterwards.
    ///
    /// The schema is made only where something in the value would be masked; returns whether that is so.
    pub fn value_by(&self, value: &mut Value, schema: impl FnOnce() -> Value) -> bool {
        if !self.holds_secret(value) {
            return false;
        }
        let schema = schema();
        self.walk(value, Some(&Place::root(&schema)));
        true
    }

    /// Takes the secrets out of an output that is written as JSON already, and fits a schema.
    ///
    /// An output without a secret is searched, and neither parsed nor compared with the schema.
    pub fn json(&self, json: Box<RawValue>, schema: impl FnOnce() -> Value) -> Box<RawValue> {
        if !self.may_be_in(json.get()) {
            return json;
        }
        // It was written from a value a moment ago; what cannot be read again is not passed on.
        let mut value = serde_json::from_str(json.get()).unwrap_or_default();
        if !self.value_by(&mut value, schema) {
            return json;
        }
        serde_json::value::to_raw_value(&value).unwrap_or_default()
    }

    /// Returns the variables, each once a process, whose secret was met where legwork's own words stand and stayed there.
    pub fn new_clashes(&self) -> Vec<String> {
        let mut clashes = self.clashes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = std::mem::take(&mut clashes.new);
        let names = new.iter().map(ToString::to_string).collect();
        clashes.reported.extend(new);
        names
    }

    /// Whether anything in JSON might have to be masked. Saying so without need costs time; not saying so, a secret.
    fn may_be_in(&self, json: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // Every answer is searched for every secret, and for all shapes of secrets in one pass. The letter of an escape
        // may stand right before a token, so where a word begins says nothing here.
        known
            .iter()
            .any(|secret| secret.json_finder.find(json.as_bytes()).is_some())
            || shape_is_in(json)
    }

    /// Whether a text or the name of a field would be masked if it were free text.
    fn holds_secret(&self, value: &Value) -> bool {
        let is_secret = |text: &str| matches!(self.text(text), Cow::Owned(_));
        match value {
            Value::String(text) => is_secret(text),
            Value::Array(items) => items.iter().any(|item| self.holds_secret(item)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, field)| is_secret(name) || self.holds_secret(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Masks everything below a place; without one, all of it is free text.
    fn walk(&self, value: &mut Value, place: Option<&Place<'_>>) {
        match value {
            Value::String(text) => {
                if let Some(masked) = self.at(text, place) {
                    *text = masked;
                }
            }
            Value::Array(items) => {
                let place = place.map(Place::items);
                for item in items {
                    self.walk(item, place.as_ref());
                }
            }
            Value::Object(fields) => self.walk_fields(fields, place),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn walk_fields(&self, fields: &mut Map<String, Value>, place: Option<&Place<'_>>) {
        let mut renamed = Vec::new();
        for (name, field) in fields.iter_mut() {
            let declared = place.and_then(|place| place.declared_field(name));
            if declared.is_some() {
                self.note_clash(name);
            } else if let Cow::Owned(masked) = self.text(name) {
                renamed.push((name.clone(), masked));
            }
            let below = declared.or_else(|| place.map(Place::other_field));
            self.walk(field, below.as_ref());
        }
        for (name, masked) in renamed {
            if let Some(field) = fields.remove(&name) {
                fields.insert(masked, field);
            }
        }
    }

    /// Returns what a text becomes at a place, where that is something else.
    fn at(&self, text: &str, place: Option<&Place<'_>>) -> Option<String> {
        let masked = match place.map_or(Kind::Free, |place| place.kind(text)) {
            Kind::Own => {
                self.note_clash(text);
                return None;
            }
            Kind::Handle => self.masked(text, |secret| !is_ordinary(secret)),
            Kind::Free if is_time(text) => return None,
            Kind::Free => self.text(text),
        };
        match masked {
            Cow::Owned(masked) => Some(masked),
            Cow::Borrowed(_) => None,
        }
    }

    /// Notes the variables whose secrets stay in a text because it is legwork's own.
    fn note_clash(&self, text: &str) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for secret in known.iter() {
            if let Some(variable) = &secret.variable
                && secret.taken_from(text).is_some()
            {
                let mut clashes = self.clashes.lock().unwrap_or_else(PoisonError::into_inner);
                if !clashes.reported.contains(variable) {
                    clashes.new.insert(Arc::clone(variable));
                }
            }
        }
    }
}

/// Returns whether a part of a text stands there because another secret was masked.
fn is_in_mask(text: &str, begin: usize, secret: &str) -> bool {
    let start = MASK
        .find(secret)
        .and_then(|offset| begin.checked_sub(offset));
    start.is_some_and(|start| text.get(start..).is_some_and(|rest| rest.starts_with(MASK)))
}

/// Returns the word of letters, digits, `-` and `_` that a part of a text belongs to.
fn word_around(text: &str, begin: usize, end: usize) -> &str {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let before = text[..begin].rfind(|c| !is_of_word(c)).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    let after = text[end..]
        .find(|c| !is_of_word(c))
        .map_or(text.len(), |at| end + at);
    &text[before..after]
}

/// Returns what is between the quotes.
fn within(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::Redactor;

    fn knowing(variable: &str, secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.learn_variable(variable, secret);
        redactor
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

    #[test]
    fn a_part_of_an_id_or_a_digest_is_no_secret() {
        let redactor = knowing("DB_PASSWORD", "widgets");
        assert_eq!(
            redactor.text("/jobs/widgets-12-0123456789ab/report.md of widgets"),
            "/jobs/widgets-12-0123456789ab/report.md of [secret]"
        );
        let redactor = knowing("DB_PASSWORD", "abcdef");
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(redactor.text(commit), commit);
        // A key that is the whole word is masked, however it is made.
        let redactor = knowing("API_KEY", commit);
        assert_eq!(redactor.text(commit), "[secret]");
    }

    #[test]
    fn a_mask_is_not_masked_again() {
        let redactor = knowing("DB_PASSWORD", "secret");
        assert_eq!(
            redactor.text("my secret is [secret]"),
            "my [secret] is [secret]"
        );
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "state": {"enum": ["running", "succeeded"]},
                "job_id": {"type": "string", "pattern": "^[a-z0-9-]+$"},
                "title": {"type": "string"},
                "folder": {"type": "string"},
                "variables": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        })
    }

    #[test]
    fn words_that_the_schema_fixes_are_never_masked() {
        for word in ["running", "job_id", "widgets", "folder", "variables"] {
            let redactor = knowing("DB_PASSWORD", word);
            let written = json!({
                "state": "running",
                "job_id": "widgets",
                "title": format!("about {word}"),
                "folder": format!("/home/{word}/x"),
                "variables": {word: word},
            });
            let mut value = written.clone();
            redactor.value_by(&mut value, schema);
            let mut wanted = written;
            wanted["title"] = "about [secret]".into();
            wanted["variables"] = json!({"[secret]": "[secret]"});
            assert_eq!(value, wanted, "{word}");
        }
    }

    #[test]
    fn who_has_such_a_secret_is_warned_once() {
        let redactor = knowing("DB_PASSWORD", "running");
        for wanted in [&["DB_PASSWORD"][..], &[]] {
            redactor.value_by(&mut json!({"state": "running"}), schema);
            assert_eq!(redactor.new_clashes(), wanted);
        }
        let redactor = knowing("DB_PASSWORD", "hunter2-hunter2");
        redactor.value_by(&mut json!({"title": "hunter2-hunter2"}), schema);
        assert!(redactor.new_clashes().is_empty());
    }

    #[test]
    fn the_schema_is_made_only_where_something_is_masked() {
        let redactor = knowing("DB_PASSWORD", "hunter2-hunter2");
        let output = json!({"title": "see https://x.org/a", "state": "running"});
        let written = serde_json::value::to_raw_value(&output).expect("JSON");
        let masked = redactor.json(written, || panic!("it is not wanted"));
        assert_eq!(masked.get(), output.to_string());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_already_is_masked_as_a_value_is(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "p~/\"w\u{1}rd\u{e9}", "p~0~1\"w\u{1}rd\u{e9}", "pass\u{1}", "ghp_0123456789abcdefghij0123", "hf_0123456789abcdefghij",
                    "https://me:pw@x.org/r", "ssh://u:pw@h", "HTTPS://t@h?token=a", "eyJhbGciOiJI.eyJzdWIi", "ya29.a0AfH6SMBx0123456789ab",
                    "sk-", "\n", "\t", "\"", "\\", " ", "x", "_", "0123456789abcdef",
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
            let masked = redactor.json(written, || Value::Bool(true));
            prop_assert_eq!(masked.get(), value.to_string());
        }
    }
}
