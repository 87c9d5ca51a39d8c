//! What makes two launches the same: the identity of a job, and the ids derived from it.

use serde::Serialize;

use super::request::Request;
use crate::{
    contract::{JobId, Name},
    domain::job::Limits,
    system::digest,
};

/// Everything a request comes to once configuration and defaults are filled in.
///
/// The digest of its canonical form identifies the job: the same again is the same job.
#[derive(Debug, Serialize)]
pub(super) struct Identity<'a> {
    pub(super) host: &'a Name,
    pub(super) repository: &'a Name,
    pub(super) base_commit: &'a str,
    pub(super) agent: &'a Name,
    pub(super) model: Option<&'a str>,
    pub(super) issue: Option<String>,
    pub(super) message: Option<&'a str>,
    pub(super) verify: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) regression: &'a [String],
    pub(super) limits: &'a Limits,
}

/// Returns the first line on what a job is about, from the request alone, as it came.
pub(super) fn topic(request: &Request) -> String {
    let text = request
        .issue
        .as_deref()
        .or(request.message.as_deref())
        .unwrap_or_default();
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().trim().to_owned()
}

/// Derives a readable job id from the key: the same key gives the same id.
pub(super) fn job_id(repository: &Name, topic: &str, key: &str) -> JobId {
    let tail = topic.rsplit('/').next().unwrap_or(topic);
    let parts = [
        slug(repository.as_str(), 20),
        slug(tail, 24),
        digest::sha256(key.as_bytes())[..12].to_owned(),
    ];
    let id = parts
        .iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("-");
    JobId::fixed(&id)
}

fn slug(text: &str, max_chars: usize) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= max_chars {
            break;
        }
    }
    slug.trim_matches('-').to_owned()
}
