//! Getting an issue: from a file on this machine, or from a forge.

use super::{Comment, Error, Issue, IssueRef, MAX_COMMENTS, MAX_PAGES, Source, Trust, read_file};
use crate::{
    domain::forge::{self, Client, CommentRecord, IssueName, IssueRecord, Lookup, Missing},
    system::{Context, clock, digest, files},
};

/// A file larger than this is no issue.
const FILE_LIMIT: u64 = 16 << 20;

/// Returns what identifies an issue without fetching it: its name on the forge, or the digest of its file.
pub(crate) fn identity(context: &Context, reference: &str) -> Result<String, Error> {
    Ok(match IssueRef::parse(reference)? {
        IssueRef::Forge { host, name } => format!(
            "{}/{}/{}#{}",
            forge::canonical_host(host.as_deref()),
            name.owner.to_lowercase(),
            name.repository.to_lowercase(),
            name.number
        ),
        IssueRef::File(path) => {
            let bytes = read(context, &path.to_string_lossy())?;
            format!("sha256:{}", digest::sha256(&bytes))
        }
    })
}

/// Gets an issue with its comments; answers of the forge younger than `max_age_s` seconds are used again.
pub(crate) async fn fetch(
    context: &Context,
    reference: &str,
    max_age_s: u64,
) -> Result<Issue, Error> {
    match IssueRef::parse(reference)? {
        IssueRef::File(path) => {
            let name = path.to_string_lossy();
            let mut issue = read_file(&name, &read(context, &name)?)?;
            issue.fetched_at = Some(clock::now_text());
            Ok(issue)
        }
        IssueRef::Forge { host, name } => {
            let client = Client::open(context, host.as_deref(), max_age_s).await?;
            from_forge(&client, &name).await
        }
    }
}

async fn from_forge(client: &Client<'_>, name: &IssueName) -> Result<Issue, Error> {
    let found = match client.issue(name).await? {
        Lookup::Found(found) => found,
        Lookup::Missing(missing) => return Err(not_found(missing)),
    };
    let record = found.value;
    if record.is_pull_request {
        return Err(Error::PullRequest {
            url: record
                .url
                .unwrap_or_else(|| format!("{}/{}#{}", name.owner, name.repository, name.number)),
        });
    }
    let name = &present_name(name, &record);
    let (comments, more) = match client.comments(name, MAX_PAGES).await? {
        Lookup::Found(found) => found.value,
        Lookup::Missing(missing) => return Err(not_found(missing)),
    };
    let mut issue = issue(client.forge_name(), name, record);
    issue.etag = found.etag;
    issue.fetched_at = Some(found.at);
    issue.comments = comments.into_iter().map(comment).collect();
    if more {
        issue
            .truncated
            .push(format!("the comments after the first {MAX_COMMENTS}"));
    }
    Ok(issue.within_limits())
}

/// Returns the name that an issue has now: one that was moved has another repository and number than it was asked for by.
fn present_name(asked: &IssueName, record: &IssueRecord) -> IssueName {
    let now = record.repository.as_ref().and_then(|(owner, repository)| {
        IssueName::new(owner, repository, &record.number.to_string())
    });
    now.unwrap_or_else(|| asked.clone())
}

fn not_found(missing: Missing) -> Error {
    Error::NotFound {
        url: missing.url,
        status: missing.status,
        message: missing.message,
    }
}

fn issue(forge: &'static str, name: &IssueName, record: IssueRecord) -> Issue {
    Issue {
        source: Source::of_forge(forge),
        repository: Some(format!("{}/{}", name.owner, name.repository)),
        number: Some(record.number),
        url: record.url,
        title: record.title,
        body: record.body,
        state: record.state,
        labels: record.labels,
        author: record.author,
        created_at: record.created_at,
        comments: Vec::new(),
        fetched_at: None,
        etag: None,
        trust: Trust::Untrusted,
        truncated: Vec::new(),
    }
}

fn comment(record: CommentRecord) -> Comment {
    Comment {
        author: record.author,
        created_at: record.created_at,
        body: record.body,
        url: record.url,
    }
}

fn read(context: &Context, name: &str) -> Result<Vec<u8>, Error> {
    files::read_regular(&context.environment().path(name), FILE_LIMIT).map_err(|error| {
        Error::File {
            path: name.to_owned(),
            reason: error.to_string(),
        }
    })
}
