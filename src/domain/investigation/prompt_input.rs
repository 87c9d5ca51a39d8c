//! The input of a prompt: the issue, the caller's message, and the job, with the secrets of this machine masked.

use super::error::Error;
use crate::{
    contract::{JobId, Name},
    domain::{issue, job::JobSpec, prompt},
    system::Context,
};

/// Code of an issue that may reproduce the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReproFile {
    /// The file in the job's folder that holds the code.
    pub(crate) file: String,
    /// Who wrote it, as far as the forge says.
    pub(crate) author: Option<String>,
    /// The code.
    pub(crate) code: String,
}

/// A prompt, and the file that it speaks of.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    /// The prompt.
    pub(crate) prompt: prompt::Prompt,
    /// The code that may reproduce the problem, where the issue has some.
    pub(crate) repro: Option<ReproFile>,
}

/// What a prompt is made of, apart from the issue.
#[derive(Clone, Debug)]
pub(crate) struct Brief<'a> {
    /// The template.
    pub(crate) template: &'a Name,
    /// The job.
    pub(crate) job_id: &'a str,
    /// The repository.
    pub(crate) repository: &'a str,
    /// The commit the worktree starts from.
    pub(crate) base: &'a str,
    /// The command that judges the fix.
    pub(crate) verify: Option<&'a str>,
    /// What is asked, in the caller's words.
    pub(crate) message: Option<&'a str>,
    /// What the workspace offers, in words.
    pub(crate) offers: &'a [String],
    /// The largest size of the prompt.
    pub(crate) max_bytes: usize,
}

/// Makes the prompt of a job.
pub(super) fn of_job(
    context: &Context,
    job_id: &JobId,
    spec: &JobSpec,
    issue: Option<&issue::Issue>,
    message: Option<&str>,
) -> Result<Rendered, Error> {
    let brief = Brief {
        template: &Name::fixed("investigate"),
        job_id: job_id.as_str(),
        repository: spec.repository.as_str(),
        base: &spec.base_commit,
        verify: spec.verify.as_deref(),
        message,
        offers: &spec.offers,
        max_bytes: prompt::MAX_BYTES,
    };
    render(context, &brief, issue)
}

/// Checks that a message that comes without an issue says what to do.
pub(crate) fn check_message(message: Option<&str>) -> Result<(), Error> {
    match message {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => Err(Error::NothingToDo),
    }
}

/// Fills in a template for a job, which may be hypothetical.
///
/// The agent runs in the worktree with the job's folder one above, wherever that is on the host.
pub(crate) fn render(
    context: &Context,
    brief: &Brief<'_>,
    issue: Option<&issue::Issue>,
) -> Result<Rendered, Error> {
    if issue.is_none() {
        check_message(brief.message)?;
    }
    let redactor = context.redactor();
    let clean = |text: &str| redactor.text(text).into_owned();
    let hint = brief.repository.to_owned();
    let candidate = issue.and_then(|issue| {
        issue::extract_repro(issue, std::slice::from_ref(&hint))
            .into_iter()
            .find_map(|candidate| Some((extension(&candidate)?, candidate)))
    });
    let repro = candidate.map(|(extension, candidate)| prompt::Repro {
        file: format!("issue-repro.{extension}"),
        author: candidate.author.as_deref().map(clean),
        code: clean(&candidate.code),
    });
    let variables = prompt::Variables {
        job_id: brief.job_id.to_owned(),
        job_dir: "..".to_owned(),
        worktree: ".".to_owned(),
        repository: brief.repository.to_owned(),
        base: brief.base.to_owned(),
        verify: brief.verify.map(clean),
        message: brief.message.map(clean),
        offers: brief.offers.iter().map(|it| clean(it)).collect(),
        issue: issue.map(|issue| shown(issue, clean)),
        repro: repro.clone(),
    };
    let template = prompt::template(context, brief.template)?;
    let prompt = prompt::render(&template, &variables, brief.max_bytes)?;
    Ok(Rendered {
        prompt,
        repro: repro.map(|repro| ReproFile {
            file: repro.file,
            author: repro.author,
            code: repro.code,
        }),
    })
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
