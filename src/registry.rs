//! FLOOR 4: the one list of all primitives, by chapter.

use crate::{
    contract::{Chapter, Description},
    primitives::{
        approvals, assets, demonstration, discovery, evidence, gpus, harnesses, hosts, issues,
        jobs, queue, workers, workspaces,
    },
};

pub(crate) use crate::domain::{hook, schema::HISTORY as SCHEMA, worker};
pub use crate::primitives::{Admitted, Authorized, Entry, Grants, Outcome, input_schema};

/// The contents, in the order in which the reference shows them: a new primitive is one line here.
const CONTENTS: &[(Chapter, &[Entry])] = &[
    (
        Chapter {
            name: "discovery",
            about: "What there is, what calls take, and whether the set-up is sound",
        },
        &[
            Entry::of::<discovery::capabilities::Capabilities>(),
            Entry::of::<discovery::describe::Describe>(),
            Entry::of::<discovery::show_schema::ShowSchema>(),
            Entry::of::<discovery::check_input::CheckInput>(),
            Entry::of::<discovery::get_config::GetConfig>(),
            Entry::of::<discovery::set_config::SetConfig>(),
            Entry::of::<discovery::check_config::CheckConfig>(),
            Entry::of::<discovery::check_store::CheckStore>(),
            Entry::of::<discovery::now::Now>(),
            Entry::of::<discovery::sleep::Sleep>(),
        ],
    ),
    (
        Chapter {
            name: "hosts",
            about: "The machines that agents can work on",
        },
        &[
            Entry::of::<hosts::list_hosts::ListHosts>(),
            Entry::of::<hosts::add_host::AddHost>(),
            Entry::of::<hosts::remove_host::RemoveHost>(),
            Entry::of::<hosts::probe_host::ProbeHost>(),
            Entry::of::<hosts::preflight::Preflight>(),
        ],
    ),
    (
        Chapter {
            name: "workspaces",
            about: "Repositories on hosts, each with its environment",
        },
        &[
            Entry::of::<workspaces::list_profiles::ListProfiles>(),
            Entry::of::<workspaces::show_profile::ShowProfile>(),
            Entry::of::<workspaces::provision_workspace::ProvisionWorkspace>(),
            Entry::of::<workspaces::list_workspaces::ListWorkspaces>(),
            Entry::of::<workspaces::check_workspace::CheckWorkspace>(),
        ],
    ),
    (
        Chapter {
            name: "issues",
            about: "Issues, the code in them, and the prompts made of them",
        },
        &[
            Entry::of::<issues::fetch_issue::FetchIssue>(),
            Entry::of::<issues::extract_repro::ExtractRepro>(),
            Entry::of::<issues::render_prompt::RenderPrompt>(),
        ],
    ),
    (
        Chapter {
            name: "jobs",
            about: "Agents at work: launch, watch, read along, cancel",
        },
        &[
            Entry::of::<jobs::list_agents::ListAgents>(),
            Entry::of::<jobs::launch_investigation::LaunchInvestigation>(),
            Entry::of::<jobs::poll_job::PollJob>(),
            Entry::of::<jobs::wait_job::WaitJob>(),
            Entry::of::<jobs::list_jobs::ListJobs>(),
            Entry::of::<jobs::tail_log::TailLog>(),
            Entry::of::<jobs::list_events::ListEvents>(),
            Entry::of::<jobs::cancel_job::CancelJob>(),
        ],
    ),
    (
        Chapter {
            name: "evidence",
            about: "What a job left behind: fetch it, verify it, attest it, apply it",
        },
        &[
            Entry::of::<evidence::fetch_artifacts::FetchArtifacts>(),
            Entry::of::<evidence::check_artifacts::CheckArtifacts>(),
            Entry::of::<evidence::verify_fix::VerifyFix>(),
            Entry::of::<evidence::check_diff::CheckDiff>(),
            Entry::of::<evidence::fetch_proof::FetchProof>(),
            Entry::of::<evidence::check_proof::CheckProof>(),
            Entry::of::<evidence::apply_diff::ApplyDiff>(),
        ],
    ),
    (
        Chapter {
            name: "queue",
            about: "Tasks that wait for their turn: enqueue, claim, report, end",
        },
        &[
            Entry::of::<queue::enqueue_tasks::EnqueueTasks>(),
            Entry::of::<queue::list_tasks::ListTasks>(),
            Entry::of::<queue::show_task::ShowTask>(),
            Entry::of::<queue::peek_queue::PeekQueue>(),
            Entry::of::<queue::edit_task::EditTask>(),
            Entry::of::<queue::claim_tasks::ClaimTasks>(),
            Entry::of::<queue::renew_lease::RenewLease>(),
            Entry::of::<queue::release_task::ReleaseTask>(),
            Entry::of::<queue::complete_task::CompleteTask>(),
            Entry::of::<queue::fail_task::FailTask>(),
            Entry::of::<queue::retry_task::RetryTask>(),
            Entry::of::<queue::cancel_task::CancelTask>(),
            Entry::of::<queue::pause_task::PauseTask>(),
            Entry::of::<queue::resume_task::ResumeTask>(),
            Entry::of::<queue::report_progress::ReportProgress>(),
            Entry::of::<queue::load_checkpoint::LoadCheckpoint>(),
            Entry::of::<queue::recover_tasks::RecoverTasks>(),
            Entry::of::<queue::collect_tasks::CollectTasks>(),
            Entry::of::<queue::set_limit::SetLimit>(),
            Entry::of::<queue::show_limits::ShowLimits>(),
        ],
    ),
    (
        Chapter {
            name: "workers",
            about: "Processes that take tasks out of the queue and carry them out",
        },
        &[
            Entry::of::<workers::start_worker::StartWorker>(),
            Entry::of::<workers::stop_worker::StopWorker>(),
            Entry::of::<workers::restart_worker::RestartWorker>(),
            Entry::of::<workers::worker_status::WorkerStatus>(),
            Entry::of::<workers::list_sessions::ListSessions>(),
            Entry::of::<workers::add_hook::AddHook>(),
            Entry::of::<workers::remove_hook::RemoveHook>(),
            Entry::of::<workers::list_hooks::ListHooks>(),
            Entry::of::<workers::test_hook::TestHook>(),
        ],
    ),
    (
        Chapter {
            name: "gpus",
            about: "GPUs of hosts without a scheduler: who holds which, and until when",
        },
        &[
            Entry::of::<gpus::list_gpus::ListGpus>(),
            Entry::of::<gpus::reserve_gpus::ReserveGpus>(),
            Entry::of::<gpus::release_gpus::ReleaseGpus>(),
            Entry::of::<gpus::set_gpu_pool::SetGpuPool>(),
        ],
    ),
    (
        Chapter {
            name: "approvals",
            about: "What waits for a person, what they let through, and what came of it",
        },
        &[
            Entry::of::<approvals::list_waiting::ListWaiting>(),
            Entry::of::<approvals::decide_approval::DecideApproval>(),
            Entry::of::<approvals::grant_authorization::GrantAuthorization>(),
            Entry::of::<approvals::revoke_authorization::RevokeAuthorization>(),
            Entry::of::<approvals::list_authorizations::ListAuthorizations>(),
            Entry::of::<approvals::resume_call::ResumeCall>(),
            Entry::of::<approvals::list_audit::ListAudit>(),
        ],
    ),
    (
        Chapter {
            name: "demonstration",
            about: "The whole way from an issue to a verified diff, on a small example",
        },
        &[Entry::of::<demonstration::demo::Demo>()],
    ),
    (
        Chapter {
            name: "assets",
            about: "Slash commands, skill and hooks, put where agents read them",
        },
        &[
            Entry::of::<assets::install_assets::InstallAssets>(),
            Entry::of::<assets::remove_assets::RemoveAssets>(),
        ],
    ),
    (
        Chapter {
            name: "harnesses",
            about: "For authors of programs that call legwork",
        },
        &[Entry::of::<harnesses::check_harness::CheckHarness>()],
    ),
];

/// All primitives, in the order of their chapters.
pub static ALL: &[Entry] = &placed::<COUNT>();

const COUNT: usize = {
    let (mut count, mut at) = (0, 0);
    while at < CONTENTS.len() {
        count += CONTENTS[at].1.len();
        at += 1;
    }
    count
};

/// Puts each primitive in the chapter that lists it, so that an entry alone says where it stands.
const fn placed<const N: usize>() -> [Entry; N] {
    let mut all = [CONTENTS[0].1[0]; N];
    let (mut next, mut at) = (0, 0);
    while at < CONTENTS.len() {
        let (chapter, primitives) = CONTENTS[at];
        let mut index = 0;
        while index < primitives.len() {
            all[next] = primitives[index].placed(chapter);
            next += 1;
            index += 1;
        }
        at += 1;
    }
    all
}

/// Iterates over the chapters.
pub fn chapters() -> impl Iterator<Item = Chapter> {
    CONTENTS.iter().map(|(chapter, _)| *chapter)
}

/// Iterates over the primitives of a chapter; none where there is no such chapter.
pub fn primitives_of(chapter: &str) -> impl Iterator<Item = &'static Entry> {
    ALL.iter()
        .filter(move |entry| entry.about.chapter.name == chapter)
}

impl Entry {
    /// Finds a primitive by name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|entry| entry.about.name == name)
    }
}

/// Lists what is known of all primitives, for those primitives that speak of the others.
pub fn descriptions() -> Vec<&'static Description> {
    ALL.iter().map(|entry| &entry.about).collect()
}
