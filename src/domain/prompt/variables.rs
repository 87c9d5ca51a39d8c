//! What a prompt is made of.

/// An issue as a prompt shows it. Strangers wrote all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Issue {
    /// Its page.
    pub(crate) url: Option<String>,
    /// Its title.
    pub(crate) title: String,
    /// Its text.
    pub(crate) body: String,
    /// Its labels.
    pub(crate) labels: Vec<String>,
    /// Who reported it.
    pub(crate) author: Option<String>,
    /// Its comments, oldest first.
    pub(crate) comments: Vec<Comment>,
}

/// A comment as a prompt shows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comment {
    /// Who wrote it.
    pub(crate) author: Option<String>,
    /// When.
    pub(crate) created_at: Option<String>,
    /// Its text.
    pub(crate) body: String,
}

/// Code that may show the bug.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repro {
    /// The file that holds it, in the job's folder.
    pub(crate) file: String,
    /// Who wrote it.
    pub(crate) author: Option<String>,
    /// The code.
    pub(crate) code: String,
}

/// What a prompt is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    /// The job.
    pub(crate) job_id: String,
    /// The job's folder, where the agent leaves its artifacts.
    pub(crate) job_dir: String,
    /// The job's worktree.
    pub(crate) worktree: String,
    /// The repository.
    pub(crate) repository: String,
    /// The commit that is checked out in the worktree.
    pub(crate) base: String,
    /// The shell command that tells whether the bug is fixed.
    pub(crate) verify: Option<String>,
    /// The caller's instructions.
    pub(crate) message: Option<String>,
    /// What the workspace offers beside the repository's files, a sentence or two each.
    pub(crate) offers: Vec<String>,
    /// The issue.
    pub(crate) issue: Option<Issue>,
    /// Code that may show the bug.
    pub(crate) repro: Option<Repro>,
}
