//! The open, append-only list of failure codes.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{Kind, Mode, Retry, details::Shape};

/// Every failure this program can report.
///
/// Append only: a code is never reused, renamed or given another kind. The errors page is generated from these
/// comments: the first paragraph is the meaning, `## Resolution` the cure.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open)]
#[non_exhaustive]
pub enum Code {
    /// The input does not match the primitive's input schema, or a flag cannot be read.
    ///
    /// ## Resolution
    ///
    /// Read `details.violations`, all of them at once, and start from `details.skeleton`.
    SpecInvalid,
    /// The file given with `--spec` cannot be read, or is not one JSON object in UTF-8.
    ///
    /// ## Resolution
    ///
    /// Check the path in `details.path`; write one JSON object to it.
    SpecUnreadable,
    /// There is no primitive with that name.
    ///
    /// ## Resolution
    ///
    /// Use the name in `details.did_you_mean`, or ask `capabilities` for the list.
    UnknownPrimitive,
    /// The configuration file has an unknown key or a value that does not fit.
    ///
    /// ## Resolution
    ///
    /// Mend the keys named in `details.violations`; `check-config` shows them all.
    ConfigInvalid,
    /// The configuration file exists and cannot be read.
    ///
    /// ## Resolution
    ///
    /// Check the permissions of the file in `details.path`.
    ConfigUnreadable,
    /// The state folder cannot be made or written.
    ///
    /// ## Resolution
    ///
    /// Set `LEGWORK_HOME` to a folder you can write, or mend the permissions of the one in `details.path`.
    HomeUnwritable,
    /// There is no room left on the disk, here or on the host.
    ///
    /// ## Resolution
    ///
    /// Free room at `details.path`, then send the same call again.
    DiskFull,
    /// Other processes kept the database locked for longer than the call may take.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    StoreBusy,
    /// The database is damaged; a copy was set aside and nothing was started over.
    ///
    /// ## Resolution
    ///
    /// Restore the database from your own backup, or move `details.path` away to start afresh; `details.backup` holds what was found.
    StoreDamaged,
    /// A newer legwork wrote the database; this one will not write over it.
    ///
    /// ## Resolution
    ///
    /// Use the newer legwork, or set `LEGWORK_HOME` to another folder.
    StoreNewer,
    /// An invariant of this program was broken, or it panicked.
    ///
    /// ## Resolution
    ///
    /// Report the message and the version; it is a bug in legwork.
    Internal,
    /// A signal ended the call.
    ///
    /// ## Resolution
    ///
    /// Send the same call again if it is still wanted; it carries on from where this one stopped.
    Cancelled,
    /// The time allowed by `timeout_s` ran out.
    ///
    /// ## Resolution
    ///
    /// Send the same call again, with a larger `timeout_s` if it happens again.
    DeadlineExceeded,
    /// Another call with the same idempotency key is still under way.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`; it returns the answer of the one under way.
    OperationInProgress,
    /// The idempotency key was used before with another input.
    ///
    /// ## Resolution
    ///
    /// Use a new key, or the input that the key was first used with.
    IdempotencyKeyReused,
    /// Some items of a call over many failed; the others are done.
    ///
    /// ## Resolution
    ///
    /// Read `details.items`; `next` holds the call for the failed ones alone.
    PartialFailure,
    /// The cursor was not made by this primitive with these filters.
    ///
    /// ## Resolution
    ///
    /// Leave the cursor out to start from the beginning.
    CursorInvalid,
    /// No host of that name is registered, configured, or an alias in the ssh configuration.
    ///
    /// ## Resolution
    ///
    /// Add it with `add-host`, or use a name from `list-hosts`.
    HostUnknown,
    /// A host of that name is registered with another destination.
    ///
    /// ## Resolution
    ///
    /// Remove it first with `remove-host`, or choose another name.
    HostExists,
    /// Jobs that have not ended stand on the host.
    ///
    /// ## Resolution
    ///
    /// Wait for the jobs in `details.items`, or cancel them.
    HostInUse,
    /// The host did not answer over SSH. What runs there runs on.
    ///
    /// ## Resolution
    ///
    /// Check the network and the host, then send the same call again.
    SshUnreachable,
    /// The host refused every key offered.
    ///
    /// ## Resolution
    ///
    /// Add your key to the host's `authorized_keys`, or start an ssh-agent and set `SSH_AUTH_SOCK`.
    SshAuthFailed,
    /// The host's key is not in `known_hosts`, so who answers cannot be told.
    ///
    /// ## Resolution
    ///
    /// Check the key's fingerprint with the host's owner, then connect once by hand with `ssh` to accept it.
    SshHostKeyUnknown,
    /// The host answers with another key than the one known: a new machine, or somebody in between.
    ///
    /// ## Resolution
    ///
    /// Find out why the key changed; then remove the old one with `ssh-keygen -R`.
    SshHostKeyChanged,
    /// No `ssh` program was found on this machine.
    ///
    /// ## Resolution
    ///
    /// Install the OpenSSH client.
    SshClientMissing,
    /// The ssh client rejects its configuration or the destination's name.
    ///
    /// ## Resolution
    ///
    /// Run `ssh -G` with the destination and mend what it names.
    SshConfigInvalid,
    /// The connection broke before the answer was complete; what was asked may have happened.
    ///
    /// ## Resolution
    ///
    /// Send the same call again: it finds what happened and carries on from there.
    ContactLost,
    /// All SSH sessions this machine may use at once on the host stayed in use.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    HostBusy,
    /// The host lacks a program that is needed.
    ///
    /// ## Resolution
    ///
    /// Install the program named in `details.tool` on the host; `preflight` shows all that is missing.
    HostToolMissing,
    /// The root folder on the host cannot be made or written.
    ///
    /// ## Resolution
    ///
    /// Mend the permissions of `details.path` on the host, or configure another `root` for it.
    HostFolderUnwritable,
    /// A step on the host ended with an error that has no code of its own.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`, mend the host, and send the same call again.
    HostScriptFailed,
    /// No repository of that name is configured and no url was given.
    ///
    /// ## Resolution
    ///
    /// Add it to the configuration under `[repositories.<name>]`, or give `url`.
    RepositoryUnknown,
    /// The seed clone on the host was made from another url.
    ///
    /// ## Resolution
    ///
    /// Use another repository name, or remove the folder in `details.path` on the host.
    RepositoryMismatch,
    /// The ref does not exist in the repository.
    ///
    /// ## Resolution
    ///
    /// Check the name; fetch or push it first if it is new.
    RefNotFound,
    /// Cloning or fetching the repository failed.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`; check the url and the host's access to it, then send the same call again.
    CloneFailed,
    /// No profile of that name is built in or configured.
    ///
    /// ## Resolution
    ///
    /// Use a name from `list-profiles`, or add it to the configuration under `[profiles.<name>]`.
    ProfileUnknown,
    /// A step of making the workspace failed; the steps before it are kept.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`, mend the cause, and send the same call again: only missing steps run.
    ProvisionStepFailed,
    /// There is no workspace for that repository on that host.
    ///
    /// ## Resolution
    ///
    /// Make it with `provision-workspace`.
    WorkspaceNotFound,
    /// The workspace exists and is not complete.
    ///
    /// ## Resolution
    ///
    /// Complete it with `provision-workspace`; only missing steps run.
    WorkspaceNotReady,
    /// git could not make the worktree of the job.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`; send the same call again.
    WorktreeFailed,
    /// No agent of that name is built in or configured.
    ///
    /// ## Resolution
    ///
    /// Use a name from `list-agents`, or add it to the configuration under `[agents.<name>]`.
    AgentUnknown,
    /// The agent's program was not found on the host.
    ///
    /// ## Resolution
    ///
    /// Install it on the host, or set its full path in the configuration; `preflight` checks it.
    AgentMissing,
    /// The agent has no such option.
    ///
    /// ## Resolution
    ///
    /// Leave the option out, or choose an agent that has it: `list-agents` says which.
    AgentOptionUnsupported,
    /// A secret that the configuration names is not set in the environment.
    ///
    /// ## Resolution
    ///
    /// Set the variable named in `details.name` in the environment of legwork.
    SecretUnavailable,
    /// The issue does not exist, or the token cannot see it.
    ///
    /// ## Resolution
    ///
    /// Check the repository and the number; give a token that can read it.
    IssueNotFound,
    /// The issue's file is neither readable Markdown nor a JSON issue.
    ///
    /// ## Resolution
    ///
    /// Give a UTF-8 Markdown file, or JSON with at least `title` and `body`.
    IssueInvalid,
    /// The forge refused the token, or wants one.
    ///
    /// ## Resolution
    ///
    /// Set `GH_TOKEN`, or log in with `gh auth login`.
    ForgeUnauthenticated,
    /// The token may not do this.
    ///
    /// ## Resolution
    ///
    /// Give a token with the needed scope.
    ForgeForbidden,
    /// The forge's rate limit is used up.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`; a token raises the limit.
    ForgeRateLimited,
    /// The forge did not answer, or not with what its interface describes.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    ForgeUnavailable,
    /// A prompt template does not parse or asks for a variable that is not given.
    ///
    /// ## Resolution
    ///
    /// Mend the template in `details.path`; `render-prompt` shows what it makes of it.
    TemplateInvalid,
    /// No prompt template of that name is built in or configured.
    ///
    /// ## Resolution
    ///
    /// Use a name from `details.known`, or add the file to the templates folder.
    TemplateUnknown,
    /// The prompt exceeds its cap even with all that may be dropped left out.
    ///
    /// ## Resolution
    ///
    /// Shorten the message, or raise `max_bytes`.
    PromptTooLarge,
    /// There is no such job.
    ///
    /// ## Resolution
    ///
    /// Use an id from `list-jobs`.
    JobNotFound,
    /// The job has not ended, and this needs an ended one.
    ///
    /// ## Resolution
    ///
    /// Wait for it with `wait-job`, then send the call again.
    JobNotEnded,
    /// The job's host does not answer, so its state is not known; it may well run on.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    JobUnreachable,
    /// The supervisor did not start on the host; no agent ran.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`; run `preflight` for the host.
    LaunchFailed,
    /// The job had not ended when the time to wait was over; it runs on.
    ///
    /// ## Resolution
    ///
    /// Send the same call again to wait longer.
    WaitTimedOut,
    /// The job ended, and not as `require` demands.
    ///
    /// ## Resolution
    ///
    /// Read the report and `details`; launch again with a new `idempotency_key` if another try is wanted.
    RequirementUnmet,
    /// Some processes of the job did not end even when killed.
    ///
    /// ## Resolution
    ///
    /// Send the same call again; look at `details.pids` on the host if it happens again.
    ProcessesSurvived,
    /// The job has no such artifact.
    ///
    /// ## Resolution
    ///
    /// Look at `check-artifacts` for what there is.
    ArtifactMissing,
    /// What the host sent has a name, type or size that is not taken.
    ///
    /// ## Resolution
    ///
    /// Look at the file on the host by hand; it was not written here.
    ArtifactRefused,
    /// A file changed while it travelled, so its digest does not match.
    ///
    /// ## Resolution
    ///
    /// Send the same call again.
    ArtifactChanged,
    /// The diff changes nothing.
    ///
    /// ## Resolution
    ///
    /// Read the agent's report; there is nothing to apply or verify.
    DiffEmpty,
    /// The file is not a unified diff that git can read.
    ///
    /// ## Resolution
    ///
    /// Make the diff with `git diff --binary --full-index`.
    DiffInvalid,
    /// The diff touches what it must not: `.git`, paths outside, links, submodules or CI files.
    ///
    /// ## Resolution
    ///
    /// Read `details.findings`; allow a rule by name in `allow` if the change is wanted.
    DiffRefused,
    /// The diff does not apply to the commit it is put on.
    ///
    /// ## Resolution
    ///
    /// Put it on its own base commit, or ask for `three_way`; `details.files` names the hunks.
    DiffConflict,
    /// The checkout has uncommitted changes; nothing was touched.
    ///
    /// ## Resolution
    ///
    /// Commit or stash what `details.files` names, then send the same call again.
    DirtyTree,
    /// The path is not a git checkout that can be used.
    ///
    /// ## Resolution
    ///
    /// Give the path of a git working tree in `checkout`.
    CheckoutInvalid,
    /// The commit the diff was made on is not in the checkout.
    ///
    /// ## Resolution
    ///
    /// Fetch it from the repository the job worked on, then send the same call again.
    BaseMissing,
    /// A branch of that name exists with other content; it was not moved.
    ///
    /// ## Resolution
    ///
    /// Choose another `branch`, or remove that one yourself.
    BranchExists,
    /// Somebody moved the branch while the call was under way.
    ///
    /// ## Resolution
    ///
    /// Send the same call again.
    BranchMoved,
    /// No `git` program was found on this machine.
    ///
    /// ## Resolution
    ///
    /// Install git.
    GitMissing,
    /// git ended with an error that has no code of its own.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`.
    GitFailed,
    /// There is neither a `verify` command nor a repro to judge the fix by.
    ///
    /// ## Resolution
    ///
    /// Give `verify`, the command that fails without the fix and passes with it.
    VerifyUnspecified,
    /// A step of a composed job did not end well.
    ///
    /// ## Resolution
    ///
    /// Read `details`, mend the cause and send the same call again.
    StepFailed,
    /// The primitive changes something, and the server was started without `--allow-mutations`.
    ///
    /// ## Resolution
    ///
    /// Have whoever runs the server add `--allow-mutations` if such calls are wanted.
    MutationNotAllowed,
    /// A file or block that would be written is not as legwork left it: a person edited it, or something else is in its place.
    /// Look at what `details.items` names; name it in `overwrite` to give it up, or leave it.
    AssetEdited,
    /// A folder or file that assets go into cannot be read or written.
    /// Mend what `details.path` names, then send the same call again.
    AssetUnwritable,
    /// A program that calls legwork breaks the contract of harnesses, and `require` demands that it does not.
    ///
    /// ## Resolution
    ///
    /// Mend what `details.findings` names, first to last; each names the scenario that shows it.
    HarnessNonconforming,
    /// The stand-in for legwork cannot be set up, or the harness cannot be started at all.
    ///
    /// ## Resolution
    ///
    /// Make the folder in `details.path` one in which programs can be written and run, or set `TMPDIR` to another.
    HarnessUncheckable,
    /// No schema of that name is published.
    ///
    /// ## Resolution
    ///
    /// Use the name in `details.did_you_mean`, or ask `show-schema` without a name for the list.
    SchemaUnknown,
    /// The job's folder is gone from its host, so that nothing of the job can be read or verified there.
    ///
    /// ## Resolution
    ///
    /// Restore the folder on the host, or launch again with a new `idempotency_key`; what was fetched before is still here.
    JobFolderMissing,
}

/// Lets the schema take codes that are added later: whoever reads with an older schema falls back on the kind.
fn open(schema: &mut Schema) {
    if let Some(known) = schema.remove("oneOf") {
        let any = serde_json::json!({
            "title": "LaterCode",
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]*$",
            "description": "A code that was added later; fall back on the kind.",
        });
        schema.insert(
            "anyOf".to_owned(),
            serde_json::json!([
                {"title": "KnownCode", "oneOf": known, "description": "A code that is known."},
                any,
            ]),
        );
    }
}

impl Code {
    /// Lists all codes in the order of their declaration.
    pub const ALL: &'static [Self] = &[
        Self::SpecInvalid,
        Self::SpecUnreadable,
        Self::UnknownPrimitive,
        Self::ConfigInvalid,
        Self::ConfigUnreadable,
        Self::HomeUnwritable,
        Self::DiskFull,
        Self::StoreBusy,
        Self::StoreDamaged,
        Self::StoreNewer,
        Self::Internal,
        Self::Cancelled,
        Self::DeadlineExceeded,
        Self::OperationInProgress,
        Self::IdempotencyKeyReused,
        Self::PartialFailure,
        Self::CursorInvalid,
        Self::HostUnknown,
        Self::HostExists,
        Self::HostInUse,
        Self::SshUnreachable,
        Self::SshAuthFailed,
        Self::SshHostKeyUnknown,
        Self::SshHostKeyChanged,
        Self::SshClientMissing,
        Self::SshConfigInvalid,
        Self::ContactLost,
        Self::HostBusy,
        Self::HostToolMissing,
        Self::HostFolderUnwritable,
        Self::HostScriptFailed,
        Self::RepositoryUnknown,
        Self::RepositoryMismatch,
        Self::RefNotFound,
        Self::CloneFailed,
        Self::ProfileUnknown,
        Self::ProvisionStepFailed,
        Self::WorkspaceNotFound,
        Self::WorkspaceNotReady,
        Self::WorktreeFailed,
        Self::AgentUnknown,
        Self::AgentMissing,
        Self::AgentOptionUnsupported,
        Self::SecretUnavailable,
        Self::IssueNotFound,
        Self::IssueInvalid,
        Self::ForgeUnauthenticated,
        Self::ForgeForbidden,
        Self::ForgeRateLimited,
        Self::ForgeUnavailable,
        Self::TemplateInvalid,
        Self::TemplateUnknown,
        Self::PromptTooLarge,
        Self::JobNotFound,
        Self::JobNotEnded,
        Self::JobUnreachable,
        Self::LaunchFailed,
        Self::WaitTimedOut,
        Self::RequirementUnmet,
        Self::ProcessesSurvived,
        Self::ArtifactMissing,
        Self::ArtifactRefused,
        Self::ArtifactChanged,
        Self::DiffEmpty,
        Self::DiffInvalid,
        Self::DiffRefused,
        Self::DiffConflict,
        Self::DirtyTree,
        Self::CheckoutInvalid,
        Self::BaseMissing,
        Self::BranchExists,
        Self::BranchMoved,
        Self::GitMissing,
        Self::GitFailed,
        Self::VerifyUnspecified,
        Self::StepFailed,
        Self::MutationNotAllowed,
        Self::AssetEdited,
        Self::AssetUnwritable,
        Self::HarnessNonconforming,
        Self::HarnessUncheckable,
        Self::SchemaUnknown,
        Self::JobFolderMissing,
    ];

    /// Codes that any call may fail with, declared or not.
    pub const UNIVERSAL: &'static [Self] = &[
        Self::SpecInvalid,
        Self::SpecUnreadable,
        Self::UnknownPrimitive,
        Self::ConfigInvalid,
        Self::ConfigUnreadable,
        Self::HomeUnwritable,
        Self::DiskFull,
        Self::StoreBusy,
        Self::StoreDamaged,
        Self::StoreNewer,
        Self::Internal,
        Self::Cancelled,
        Self::DeadlineExceeded,
        Self::MutationNotAllowed,
    ];

    /// Codes that any call which needs an answer of a host may fail with.
    pub const OF_HOSTS: &'static [Self] = &[
        Self::HostUnknown,
        Self::SshUnreachable,
        Self::SshAuthFailed,
        Self::SshHostKeyUnknown,
        Self::SshHostKeyChanged,
        Self::SshClientMissing,
        Self::SshConfigInvalid,
        Self::ContactLost,
        Self::HostBusy,
        Self::HostToolMissing,
        Self::HostScriptFailed,
    ];

    /// Returns whether any primitive may fail with it, declared or not.
    pub fn is_universal(self) -> bool {
        Self::UNIVERSAL.contains(&self)
    }

    /// Returns the name as it stands in envelopes.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Returns the closed class of the failure.
    pub const fn kind(self) -> Kind {
        match self {
            Self::SpecInvalid
            | Self::SpecUnreadable
            | Self::CursorInvalid
            | Self::AgentOptionUnsupported
            | Self::IssueInvalid
            | Self::PromptTooLarge
            | Self::DiffInvalid => Kind::InvalidArgument,
            Self::UnknownPrimitive
            | Self::HostUnknown
            | Self::RepositoryUnknown
            | Self::RefNotFound
            | Self::ProfileUnknown
            | Self::WorkspaceNotFound
            | Self::AgentUnknown
            | Self::IssueNotFound
            | Self::TemplateUnknown
            | Self::JobNotFound
            | Self::ArtifactMissing
            | Self::SchemaUnknown => Kind::NotFound,
            Self::ConfigInvalid
            | Self::ConfigUnreadable
            | Self::HomeUnwritable
            | Self::StoreNewer
            | Self::HostInUse
            | Self::SshHostKeyUnknown
            | Self::SshHostKeyChanged
            | Self::SshClientMissing
            | Self::SshConfigInvalid
            | Self::HostToolMissing
            | Self::HostFolderUnwritable
            | Self::HostScriptFailed
            | Self::RepositoryMismatch
            | Self::ProvisionStepFailed
            | Self::WorkspaceNotReady
            | Self::AgentMissing
            | Self::SecretUnavailable
            | Self::TemplateInvalid
            | Self::JobNotEnded
            | Self::JobFolderMissing
            | Self::LaunchFailed
            | Self::RequirementUnmet
            | Self::DiffEmpty
            | Self::DiffConflict
            | Self::DirtyTree
            | Self::CheckoutInvalid
            | Self::BaseMissing
            | Self::GitMissing
            | Self::GitFailed
            | Self::VerifyUnspecified
            | Self::StepFailed
            | Self::AssetEdited
            | Self::AssetUnwritable
            | Self::HarnessNonconforming
            | Self::HarnessUncheckable => Kind::FailedPrecondition,
            Self::DiskFull | Self::HostBusy | Self::ForgeRateLimited => Kind::ResourceExhausted,
            Self::StoreBusy
            | Self::SshUnreachable
            | Self::ContactLost
            | Self::CloneFailed
            | Self::WorktreeFailed
            | Self::ForgeUnavailable
            | Self::JobUnreachable
            | Self::ArtifactChanged => Kind::Unavailable,
            Self::StoreDamaged => Kind::DataLoss,
            Self::Internal => Kind::Internal,
            Self::Cancelled => Kind::Cancelled,
            Self::DeadlineExceeded | Self::WaitTimedOut => Kind::DeadlineExceeded,
            Self::OperationInProgress
            | Self::PartialFailure
            | Self::ProcessesSurvived
            | Self::BranchMoved => Kind::Aborted,
            Self::IdempotencyKeyReused | Self::HostExists | Self::BranchExists => {
                Kind::AlreadyExists
            }
            Self::SshAuthFailed | Self::ForgeUnauthenticated => Kind::Unauthenticated,
            Self::ForgeForbidden
            | Self::ArtifactRefused
            | Self::DiffRefused
            | Self::MutationNotAllowed => Kind::PermissionDenied,
        }
    }

    /// Returns when to try again, unless the failing operation knows better.
    pub const fn retry(self) -> Retry {
        match self {
            Self::SpecInvalid
            | Self::UnknownPrimitive
            | Self::Internal
            | Self::IdempotencyKeyReused
            | Self::CursorInvalid
            | Self::HostExists
            | Self::AgentOptionUnsupported
            | Self::JobNotFound
            | Self::RequirementUnmet
            | Self::SchemaUnknown => Retry::of(Mode::Never),
            Self::SpecUnreadable
            | Self::ConfigInvalid
            | Self::ConfigUnreadable
            | Self::HomeUnwritable
            | Self::DiskFull
            | Self::StoreDamaged
            | Self::StoreNewer
            | Self::HostUnknown
            | Self::SshAuthFailed
            | Self::SshHostKeyUnknown
            | Self::SshHostKeyChanged
            | Self::SshClientMissing
            | Self::SshConfigInvalid
            | Self::HostToolMissing
            | Self::HostFolderUnwritable
            | Self::HostScriptFailed
            | Self::RepositoryUnknown
            | Self::RepositoryMismatch
            | Self::RefNotFound
            | Self::ProfileUnknown
            | Self::ProvisionStepFailed
            | Self::WorkspaceNotFound
            | Self::WorkspaceNotReady
            | Self::AgentUnknown
            | Self::AgentMissing
            | Self::SecretUnavailable
            | Self::IssueNotFound
            | Self::IssueInvalid
            | Self::ForgeUnauthenticated
            | Self::ForgeForbidden
            | Self::TemplateInvalid
            | Self::TemplateUnknown
            | Self::PromptTooLarge
            | Self::LaunchFailed
            | Self::JobFolderMissing
            | Self::ArtifactRefused
            | Self::DiffEmpty
            | Self::DiffInvalid
            | Self::DiffRefused
            | Self::DiffConflict
            | Self::DirtyTree
            | Self::CheckoutInvalid
            | Self::BaseMissing
            | Self::BranchExists
            | Self::GitMissing
            | Self::GitFailed
            | Self::VerifyUnspecified
            | Self::StepFailed
            | Self::MutationNotAllowed
            | Self::AssetEdited
            | Self::AssetUnwritable
            | Self::HarnessNonconforming
            | Self::HarnessUncheckable => Retry::of(Mode::AfterFix),
            Self::StoreBusy => Retry::after(200),
            Self::OperationInProgress => Retry::after(1_000),
            Self::SshUnreachable => Retry::after(5_000),
            Self::HostBusy => Retry::after(1_000),
            Self::CloneFailed => Retry::after(5_000),
            Self::ForgeRateLimited => Retry::after(60_000),
            Self::ForgeUnavailable => Retry::after(5_000),
            Self::JobUnreachable => Retry::after(5_000),
            Self::ProcessesSurvived => Retry::after(2_000),
            Self::Cancelled
            | Self::DeadlineExceeded
            | Self::ContactLost
            | Self::WorktreeFailed
            | Self::WaitTimedOut
            | Self::ArtifactChanged
            | Self::BranchMoved => Retry::of(Mode::SameCall),
            Self::PartialFailure | Self::HostInUse | Self::JobNotEnded | Self::ArtifactMissing => {
                Retry::of(Mode::Sequence)
            }
        }
    }

    /// Returns the fixed shape of the details.
    pub const fn shape(self) -> Shape {
        match self {
            Self::SpecInvalid => Shape::Input,
            Self::SpecUnreadable
            | Self::ConfigUnreadable
            | Self::HomeUnwritable
            | Self::DiskFull
            | Self::HostFolderUnwritable
            | Self::IssueInvalid
            | Self::TemplateInvalid
            | Self::AssetUnwritable
            | Self::HarnessUncheckable => Shape::File,
            Self::UnknownPrimitive
            | Self::CursorInvalid
            | Self::HostUnknown
            | Self::HostExists
            | Self::RepositoryUnknown
            | Self::ProfileUnknown
            | Self::WorkspaceNotFound
            | Self::AgentUnknown
            | Self::AgentOptionUnsupported
            | Self::SecretUnavailable
            | Self::TemplateUnknown
            | Self::JobNotFound
            | Self::SchemaUnknown => Shape::Unknown,
            Self::ConfigInvalid => Shape::Config,
            Self::StoreBusy | Self::StoreDamaged | Self::StoreNewer => Shape::Store,
            Self::Internal | Self::MutationNotAllowed => Shape::Nothing,
            Self::Cancelled => Shape::Signal,
            Self::DeadlineExceeded => Shape::Wait,
            Self::OperationInProgress | Self::IdempotencyKeyReused => Shape::Key,
            Self::PartialFailure | Self::HostInUse | Self::AssetEdited => Shape::Items,
            Self::SshUnreachable
            | Self::SshAuthFailed
            | Self::SshHostKeyUnknown
            | Self::SshHostKeyChanged
            | Self::SshConfigInvalid
            | Self::ContactLost
            | Self::HostBusy => Shape::Host,
            Self::SshClientMissing
            | Self::HostToolMissing
            | Self::AgentMissing
            | Self::GitMissing => Shape::Tool,
            Self::HostScriptFailed
            | Self::CloneFailed
            | Self::ProvisionStepFailed
            | Self::WorkspaceNotReady
            | Self::WorktreeFailed
            | Self::LaunchFailed
            | Self::GitFailed
            | Self::StepFailed => Shape::Step,
            Self::RepositoryMismatch
            | Self::RefNotFound
            | Self::DirtyTree
            | Self::CheckoutInvalid
            | Self::BaseMissing
            | Self::BranchExists
            | Self::BranchMoved => Shape::Checkout,
            Self::IssueNotFound
            | Self::ForgeUnauthenticated
            | Self::ForgeForbidden
            | Self::ForgeRateLimited
            | Self::ForgeUnavailable => Shape::Forge,
            Self::PromptTooLarge => Shape::Size,
            Self::JobNotEnded
            | Self::JobUnreachable
            | Self::JobFolderMissing
            | Self::WaitTimedOut
            | Self::VerifyUnspecified => Shape::Job,
            Self::RequirementUnmet => Shape::Requirement,
            Self::ProcessesSurvived => Shape::Survivors,
            Self::ArtifactMissing | Self::ArtifactRefused | Self::ArtifactChanged => {
                Shape::Artifact
            }
            Self::DiffEmpty | Self::DiffInvalid | Self::DiffRefused => Shape::Diff,
            Self::DiffConflict => Shape::Conflict,
            Self::HarnessNonconforming => Shape::Conformance,
        }
    }
}
