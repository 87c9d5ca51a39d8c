//! What an agent is told, put together from the issue, the caller's words and the job.

use super::{Error, job::Order};
use crate::{
    contract::JobId,
    domain::{issue, prompt},
    system::Context,
};

/// Code of an issue that may show the problem: the file it is put into, in the job's folder, and the code.
pub(super) type Repro = (String, String);

/// Makes the prompt of a job, and picks the code that may show the problem; no secret of this machine is in either.
///
/// The agent runs in the worktree with the job's folder one above, wherever that is on the host.
pub(super) fn prompt(
    context: &Context,
    job_id: &JobId,
    order: &Order,
    issue: Option<&issue::Issue>,
    message: Option<&str>,
) -> Result<(prompt::Prompt, Option<Repro>), Error> {
    let redactor = context.redactor();
    let clean = |text: &str| redactor.text(text).into_owned();
    let hint = order.repository.to_string();
    let candidate = issue.and_then(|issue| {
        issue::extract_repro(issue, std::slice::from_ref(&hint))
            .into_iter()
            .find_map(|candidate| Some((extension(&candidate)?, candidate)))
    });
    let repro = candidate.map(|(extension, candidate)| prompt::Repro {
        file: format!("repro.{extension}"),
        author: candidate.author.as_deref().map(clean),
        code: clean(&candidate.code),
    });
    let variables = prompt::Variables {
        job_id: job_id.to_string(),
        job_dir: "..".to_owned(),
        worktree: ".".to_owned(),
        repository: order.repository.to_string(),
        base: order.base_commit.clone(),
        verify: order.verify.as_deref().map(clean),
        message: message.map(clean),
        notes: None,
        issue: issue.map(|issue| shown(issue, clean)),
        repro: repro.clone(),
    };
    let template = prompt::Template::built_in("investigate").unwrap_or(prompt::Template {
        name: String::new(),
        text: String::new(),
    });
    let prompt = prompt::render(&template, &variables, prompt::MAX_BYTES)?;
    Ok((prompt, repro.map(|repro| (repro.file, repro.code))))
}

fn shown(issue: &issue::Issue, clean: impl Fn(&str) -> String) -> prompt::Issue {
    prompt::Issue {
        url: issue.url.as_deref().map(&clean),
        title: clean(&issue.title),
        body: clean(&issue.body),
        labels: issue.labels.iter().map(|label| clean(label)).collect(),
        author: issue.author.as_deref().map(&clean),
        comments: issue
            .comments
            .iter()
            .map(|comment| prompt::Comment {
                author: comment.author.as_deref().map(&clean),
                created_at: comment.created_at.clone(),
                body: clean(&comment.body),
            })
            .collect(),
    }
}

/// Writes an issue as Markdown, for the job's folder.
pub(super) fn markdown(context: &Context, issue: &issue::Issue) -> String {
    let mut text = format!("# {}\n\n{}\n", issue.title, issue.body);
    for comment in &issue.comments {
        let author = comment.author.as_deref().unwrap_or("somebody");
        text.push_str("\n---\n\n**");
        text.push_str(author);
        text.push_str("**:\n\n");
        text.push_str(&comment.body);
        text.push('\n');
    }
    context.redactor().text(&text).into_owned()
}

/// Returns the ending of a file that can be run, by the language of the code.
fn extension(candidate: &issue::Candidate) -> Option<&'static str> {
    if !candidate.runnable {
        return None;
    }
    match candidate.language.as_str() {
        "python" => Some("py"),
        "sh" | "bash" => Some("sh"),
        "javascript" => Some("js"),
        _ => None,
    }
}
