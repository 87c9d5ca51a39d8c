//! FLOOR 4: the one list of all primitives, with their types erased.

use std::{pin::Pin, time::Duration};

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, value::RawValue};

use crate::{
    contract::{Answer, Code, Description, Failure, Violation, details},
    primitives::{
        Primitive, assets, demonstration, discovery, evidence, harnesses, hosts, issues, jobs,
        workspaces,
    },
    system::Context,
};

/// All primitives, in the order in which the reference shows them.
pub static ALL: &[Entry] = &[
    Entry::of::<discovery::capabilities::Capabilities>(),
    Entry::of::<discovery::describe::Describe>(),
    Entry::of::<discovery::show_schema::ShowSchema>(),
    Entry::of::<discovery::check_input::CheckInput>(),
    Entry::of::<discovery::get_config::GetConfig>(),
    Entry::of::<discovery::check_config::CheckConfig>(),
    Entry::of::<discovery::check_store::CheckStore>(),
    Entry::of::<hosts::list_hosts::ListHosts>(),
    Entry::of::<hosts::add_host::AddHost>(),
    Entry::of::<hosts::remove_host::RemoveHost>(),
    Entry::of::<hosts::probe_host::ProbeHost>(),
    Entry::of::<hosts::preflight::Preflight>(),
    Entry::of::<workspaces::list_profiles::ListProfiles>(),
    Entry::of::<workspaces::show_profile::ShowProfile>(),
    Entry::of::<workspaces::provision_workspace::ProvisionWorkspace>(),
    Entry::of::<workspaces::list_workspaces::ListWorkspaces>(),
    Entry::of::<workspaces::check_workspace::CheckWorkspace>(),
    Entry::of::<issues::fetch_issue::FetchIssue>(),
    Entry::of::<issues::extract_repro::ExtractRepro>(),
    Entry::of::<issues::render_prompt::RenderPrompt>(),
    Entry::of::<jobs::list_agents::ListAgents>(),
    Entry::of::<jobs::launch_investigation::LaunchInvestigation>(),
    Entry::of::<jobs::poll_job::PollJob>(),
    Entry::of::<jobs::wait_job::WaitJob>(),
    Entry::of::<jobs::list_jobs::ListJobs>(),
    Entry::of::<jobs::tail_log::TailLog>(),
    Entry::of::<jobs::list_events::ListEvents>(),
    Entry::of::<jobs::cancel_job::CancelJob>(),
    Entry::of::<evidence::fetch_artifacts::FetchArtifacts>(),
    Entry::of::<evidence::check_artifacts::CheckArtifacts>(),
    Entry::of::<evidence::verify_fix::VerifyFix>(),
    Entry::of::<evidence::apply_diff::ApplyDiff>(),
    Entry::of::<demonstration::demo::Demo>(),
    Entry::of::<assets::install_assets::InstallAssets>(),
    Entry::of::<assets::remove_assets::RemoveAssets>(),
    Entry::of::<harnesses::check_harness::CheckHarness>(),
];

/// What a call over the erased types returns: its output written as JSON already.
pub type Outcome<'a> =
    Pin<Box<dyn Future<Output = Result<Answer<Box<RawValue>>, Failure>> + Send + 'a>>;

/// A primitive with its types erased: all that any surface may know.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What is known of it without calling it.
    pub about: Description,
    /// Calls it with an input that fits its schema.
    pub call: fn(&Context, Value) -> Outcome<'_>,
}

impl Entry {
    const fn of<P: Primitive>() -> Self {
        Self {
            about: Description {
                name: P::NAME,
                summary: P::SUMMARY,
                effects: P::EFFECTS,
                codes: || {
                    let of_hosts = if P::NEEDS_HOST { Code::OF_HOSTS } else { &[] };
                    [P::CODES, of_hosts].concat()
                },
                input_schema: input_schema::<P::Input>,
                output_schema: output_schema::<P::Output>,
                examples: || {
                    P::examples()
                        .iter()
                        .filter_map(|example| serde_json::to_value(example).ok())
                        .map(without_nulls)
                        .collect()
                },
                type_name: std::any::type_name::<P>,
            },
            call: |context, input| Box::pin(call::<P>(context, input)),
        }
    }

    /// Finds a primitive by name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|entry| entry.about.name == name)
    }
}

/// Lists what is known of all primitives, for those primitives that speak of the others.
pub fn descriptions() -> Vec<&'static Description> {
    ALL.iter().map(|entry| &entry.about).collect()
}

/// Inputs are written without references, so that flags and skeletons can be read straight off them.
fn input_schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
}

fn output_schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

fn without_nulls(value: Value) -> Value {
    let Value::Object(fields) = value else {
        return value;
    };
    fields
        .into_iter()
        .filter(|(_, field)| !field.is_null())
        .map(|(name, field)| (name, without_nulls(field)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn call<P: Primitive>(
    context: &Context,
    value: Value,
) -> Result<Answer<Box<RawValue>>, Failure> {
    let input: P::Input = serde_json::from_value(value).map_err(|error| {
        Entry::of::<P>().about.refuse(vec![Violation {
            pointer: String::new(),
            keyword: "value".to_owned(),
            message: error.to_string(),
            expected: None,
        }])
    })?;
    let limit = limit(&input);
    let running = P::run(context, input);
    let answer = match limit {
        None => running.await?,
        Some(limit) => match tokio::time::timeout(limit, running).await {
            Ok(answer) => answer?,
            Err(_elapsed) => return Err(out_of_time(P::NAME, limit)),
        },
    };
    let data = serde_json::value::to_raw_value(&answer.data)
        .map_err(|error| Failure::internal(format!("the output cannot be written: {error}")))?;
    Ok(answer.map(|_| data))
}

/// Reads the time a call may take from its input, defaults filled in.
fn limit<T: serde::Serialize>(input: &T) -> Option<Duration> {
    let input = serde_json::to_value(input).ok()?;
    let seconds = |field: &str| input.get(field).and_then(Value::as_u64);
    let timeout = seconds("timeout_s")?;
    Some(Duration::from_secs(
        timeout.saturating_add(seconds("wait_s").unwrap_or(0)),
    ))
}

fn out_of_time(name: &str, limit: Duration) -> Failure {
    Failure::new(
        Code::DeadlineExceeded,
        format!("{name} did not finish within {} s", limit.as_secs()),
        "Send the same call again, with a larger timeout_s if it happens again.",
    )
    .with_details(
        details::Wait {
            allowed_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            waiting_for: name.to_owned(),
        }
        .into(),
    )
}
