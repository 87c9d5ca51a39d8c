//! Proof: the check fails without the diff and passes with it, in clean worktrees on the job's host.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{command, error::Error};
use crate::{
    contract::{Effect, JobId},
    domain::{
        host,
        job::{self, Check, Job, Outcome, Verdict, Verified, inconclusive, verdict},
        run::{self, State, Status},
        workspace,
    },
    system::{
        Context, clock, digest, failpoint, machine::Machine, quote::quote, reply::Reply,
        script::Script, secrets::Redactor, shell,
    },
};

/// What is to be judged, and how.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The check; the job's own, or its repro, where none is given.
    pub(crate) check: Option<String>,
    /// Seconds each run of the check may take.
    pub(crate) limit_s: u64,
    /// Which try this is; another one makes the same check again.
    pub(crate) attempt: u32,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
}

/// Finds out whether the diff of a job fixes what it is to fix, and gives the job its outcome.
///
/// The work is a supervised run of its own on the host: a lost connection costs nothing, and the same call again
/// finds it under way or done.
pub(crate) async fn verify(
    context: &Context,
    job_id: &JobId,
    request: &Request,
) -> Result<(Option<Verified>, Job, Effect), Error> {
    let job = job::find(context, job_id)?;
    let job = job::ended(context, job).await?;
    if job.progress.diff_bytes == Some(0) {
        return Err(Error::NoDiff { job_id: job.job_id });
    }
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let check = match request.check.clone().or_else(|| job.spec.verify.clone()) {
        Some(check) => check,
        None => repro(context, &machine, &job).await?,
    };
    let subject = format!(
        "v-{}",
        &digest::canonical(&(
            &job.job_id,
            job.run,
            &check,
            request.limit_s,
            request.attempt
        ))[..12]
    );
    if let Some(made) = &job.verification
        && made.verification == subject
    {
        return Ok((Some(made.clone()), job, Effect::Replayed));
    }
    if request.dry_run {
        return Ok((None, job, Effect::None));
    }
    let name = JobId::fixed(&subject);
    context.meter().changing();
    let mut status = start(context, &machine, &job, &name, &check, request.limit_s).await?;
    failpoint::reached("verify.started");
    let progress = context.progress(&format!("verifying {job_id} on {}", machine.name));
    while !status.state.is_terminal() {
        status = look(context, &machine, &job, &status).await?;
        progress.say(&format!(
            "verifying {job_id} on {}: the check without the diff, then with it, is {}",
            machine.name, status.state
        ));
    }
    drop(progress);
    let reply = read(context, &machine, &job, &name).await?;
    let verified = judge(&context.redactor(), &reply.text(), &status, &check, subject);
    let job = job::update(context, &job.job_id, |job| {
        let outcome = match verified.verdict {
            Verdict::Fixed => Outcome::Fixed,
            Verdict::NotReproduced => Outcome::NotReproduced,
            Verdict::NotFixed => Outcome::NotFixed,
            // What could not be judged says nothing about the job.
            Verdict::Inconclusive => job.outcome.unwrap_or(Outcome::Unverified),
        };
        job.outcome = Some(outcome);
        job.verification = Some(verified.clone());
        vec![(
            "verified",
            json!({"verdict": verified.verdict, "reason": verified.reason, "outcome": outcome}),
        )]
    })
    .await?;
    context.meter().settled(Effect::Applied);
    Ok((Some(verified), job, Effect::Applied))
}

/// Finds the repro that lies in the job's folder and the program that runs it.
async fn repro(context: &Context, machine: &Machine, job: &Job) -> Result<String, Error> {
    const FIND: &str = r#"
for r_file in "$LEGWORK_ROOT/jobs/$1"/repro.py "$LEGWORK_ROOT/jobs/$1"/repro.sh "$LEGWORK_ROOT/jobs/$1"/repro.js; do
    if [ -f "$r_file" ] && [ ! -L "$r_file" ]; then
        printf 'legwork-repro %s\n' "${r_file##*/}"
        exit 0
    fi
done
printf 'legwork-repro -\n'
"#;
    let reply = machine
        .run(context, Script::new(FIND).argument(job.job_id.as_str()))
        .await?;
    let answer = reply.text();
    let name = answer
        .lines()
        .find_map(|line| line.strip_prefix("legwork-repro "));
    // The check runs in a worktree two folders below the job's own.
    match name {
        Some("repro.py") => Ok("python3 ../../../repro.py".to_owned()),
        Some("repro.sh") => Ok("sh ../../../repro.sh".to_owned()),
        Some("repro.js") => Ok("node ../../../repro.js".to_owned()),
        _ => Err(Error::NothingToVerifyBy {
            job_id: job.job_id.clone(),
            state: job.state,
        }),
    }
}

/// Puts the verification's folder in place and starts it, once; then goes on as `start.sh`.
///
/// $1 job, $2 verification, $3 name of the supervisor's file. Payloads: 1 supervisor, 2 spec, 3 command.sh.
const START: &str = r#"
v_job=$LEGWORK_ROOT/jobs/$1/verify/$2
v_run=$v_job/runs/1
v_supervisor=$LEGWORK_ROOT/bin/$3
if [ ! -d "$v_run/claim" ]; then
    mkdir -p "$LEGWORK_ROOT/bin" "$v_run" || exit 1
    [ -f "$v_supervisor" ] || unpack "$v_supervisor" 1 || exit 1
    printf '%s\n' "$v_supervisor" >"$v_run/supervisor"
    unpack "$v_run/command.sh" 3 || exit 1
    { payload 2; printf 'cwd %s\n' "$v_job"; } >"$v_run/.spec.$$" && mv -f "$v_run/.spec.$$" "$v_run/spec" || exit 1
fi
set -- "$1/verify/$2" 1 "$3"
"#;

async fn start(
    context: &Context,
    machine: &Machine,
    job: &Job,
    name: &JobId,
    check: &str,
    limit_s: u64,
) -> Result<Status, Error> {
    let spec_of_job = &job.spec;
    let program = [
        command::prelude(spec_of_job.environment.as_deref(), &spec_of_job.seed),
        format!(
            "base={}\ndiff=${{job%/verify/*}}/runs/{}/changes.diff\nv_limit={limit_s}\ncheck={}\n",
            quote(&spec_of_job.base_commit),
            job.run,
            quote(check)
        ),
        "LEGWORK_ROOT=$root\n".to_owned(),
        format!(
            "legwork_environment() {{\n:\n{}PATH=$PATH:${{HOME:-/}}/.local/bin:/usr/local/bin:/usr/bin:/bin\nexport PATH\n}}\n",
            workspace::exports(&spec_of_job.variables)
        ),
        workspace::worktree_script(),
        "\nprepare_git\n".to_owned(),
        include_str!("verify.sh").to_owned(),
    ]
    .concat();
    let spec = run::Spec {
        job: name.clone(),
        run: 1,
        wall_s: limit_s * 2 + 120,
        idle_s: 0,
        grace_s: 5,
        log_cap: 1 << 20,
        beat_s: 5,
        cwd: "/".to_owned(),
        changes: None,
    }
    .render()?;
    let supervisor = format!(
        "supervise-{}.sh",
        digest::sha256(run::SUPERVISOR.as_bytes())
    );
    let script = Script::new([shell::PROCESS, START, run::START].join("\n"))
        .argument(job.job_id.as_str())
        .argument(name.as_str())
        .argument(supervisor)
        .payload(run::SUPERVISOR)
        .payload(spec)
        .payload(program);
    let reply = machine.run(context, script).await?;
    match run::parse_answer(&reply.text()) {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(_)) | Err(_) => Err(failed(machine, "verify", &reply)),
    }
}

async fn look(
    context: &Context,
    machine: &Machine,
    job: &Job,
    status: &Status,
) -> Result<Status, Error> {
    let script = Script::new(run::POLL)
        .argument("60")
        .argument(run::digest([status.line.as_str()]))
        .argument(format!("{}/verify/{}", job.job_id, status.job))
        .argument("1")
        .argument(status.hint(true));
    let reply = machine.run(context, script).await?;
    let poll = run::parse_poll(&reply.text())?;
    poll.statuses
        .into_iter()
        .next()
        .ok_or_else(|| failed(machine, "verify", &reply))
}

async fn read(
    context: &Context,
    machine: &Machine,
    job: &Job,
    name: &JobId,
) -> Result<Reply, Error> {
    const READ: &str = r#"
cd "$LEGWORK_ROOT/jobs/$1/verify/$2" || exit 1
[ -f result ] && cat result
[ -f fingerprint ] && sed 's/^/fingerprint /' fingerprint
for r_name in before after; do
    [ -f "$r_name.log" ] || continue
    printf 'log %s ' "$r_name"
    tail -c 16384 "$r_name.log" | base64 | tr -d '\n'
    printf '\n'
done
exit 0
"#;
    let script = Script::new(READ)
        .argument(job.job_id.as_str())
        .argument(name.as_str());
    let reply = machine.run(context, script).await?;
    if reply.status == 0 {
        Ok(reply)
    } else {
        Err(failed(machine, "read the verification", &reply))
    }
}

fn failed(machine: &Machine, step: &'static str, reply: &Reply) -> Error {
    Error::Script {
        host: machine.name.to_string(),
        step,
        status: reply.status,
        stdout: reply.text(),
        stderr: reply.stderr.clone(),
    }
}

/// Judges what `verify.sh` wrote down.
///
/// What is kept of it is kept without the secrets of this machine.
fn judge(
    redactor: &Redactor,
    answer: &str,
    status: &Status,
    check: &str,
    subject: String,
) -> Verified {
    let output = |name: &str| -> String {
        let prefix = format!("log {name} ");
        let encoded = answer
            .lines()
            .find_map(|line| line.strip_prefix(prefix.as_str()))
            .unwrap_or_default();
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let text = redactor.text(&text);
        let skipped = text.chars().count().saturating_sub(4000);
        text.chars().skip(skipped).collect()
    };
    let ran = |name: &str| -> Option<Check> {
        let line = answer
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" status="))?;
        let (exit_code, seconds) = line.split_once(" seconds=")?;
        Some(Check {
            exit_code: exit_code.parse().ok()?,
            duration_s: seconds.parse().ok()?,
            output: output(name),
        })
    };
    let listed = |prefix: &str| -> Vec<String> {
        answer
            .lines()
            .filter_map(|line| line.strip_prefix(prefix).map(str::to_owned))
            .collect()
    };
    let (before, after) = (ran("before"), ran("after"));
    let stop = listed("stop ").into_iter().next();
    let (verdict, reason) = match (&before, &after, stop.as_deref()) {
        (_, _, Some("apply")) => inconclusive("diff_does_not_apply"),
        (_, _, Some(_)) => inconclusive("worktree_failed"),
        (Some(before), Some(after), None) => verdict(before.exit_code, after.exit_code),
        _ if status.state == State::Succeeded => inconclusive("worktree_failed"),
        _ => (
            Verdict::Inconclusive,
            Some(format!("verification_{}", status.state)),
        ),
    };
    Verified {
        verdict,
        reason,
        check: redactor.text(check).into_owned(),
        before,
        after,
        copied_files: listed("carried "),
        fingerprint: listed("fingerprint "),
        verification: subject,
        at: clock::now_text(),
    }
}
