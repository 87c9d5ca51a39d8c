//! Reading the logs of a run, a bounded piece at a time.

use super::{error::Error, model::Job};
use crate::{
    domain::host,
    system::{Context, script::Script},
};

/// Which of a run's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Its standard output.
    Output,
    /// Its standard error.
    Errors,
}

/// A piece of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Bytes in the log when it was read.
    pub(crate) size: u64,
    /// Where the piece begins.
    pub(crate) from: u64,
    /// What stands before the cut, or all of the piece.
    pub(crate) head: Vec<u8>,
    /// What stands behind the cut.
    pub(crate) tail: Vec<u8>,
    /// Whether the log is there at all.
    pub(crate) exists: bool,
}

impl Chunk {
    /// Returns where the piece ends.
    pub(crate) fn end(&self) -> u64 {
        if self.tail.is_empty() {
            self.from + self.head.len() as u64
        } else {
            self.size
        }
    }

    /// Returns how many bytes were cut out of the middle.
    pub(crate) fn cut(&self) -> u64 {
        if self.tail.is_empty() {
            0
        } else {
            self.size - self.from - (self.head.len() + self.tail.len()) as u64
        }
    }
}

/// Prints `legwork-log size=… head=…` and then the bytes of the head and of the tail.
///
/// $1 job, $2 run, $3 file, $4 where to begin, or `-` for head and tail, $5 bytes at most.
const TAIL: &str = r#"
t_file=$LEGWORK_ROOT/jobs/$1/runs/$2/$3
if [ ! -f "$t_file" ]; then
    printf 'legwork-log size=0 head=0 exists=no\n'
    exit 0
fi
t_size=$(wc -c <"$t_file")
t_size=$((t_size + 0))
if [ "$4" != - ]; then
    printf 'legwork-log size=%s head=%s exists=yes\n' "$t_size" "$5"
    [ "$4" -ge "$t_size" ] || tail -c "+$(($4 + 1))" "$t_file" | head -c "$5"
elif [ "$t_size" -le "$5" ]; then
    printf 'legwork-log size=%s head=%s exists=yes\n' "$t_size" "$5"
    head -c "$t_size" "$t_file"
else
    t_head=$(($5 / 4))
    t_tail=$(($5 - t_head))
    printf 'legwork-log size=%s head=%s exists=yes\n' "$t_size" "$t_head"
    head -c "$t_head" "$t_file"
    tail -c "+$((t_size - t_tail + 1))" "$t_file" | head -c "$t_tail"
fi
"#;

/// Reads a piece of a log: from `cursor` on, or its beginning and its end.
pub(crate) async fn read(
    context: &Context,
    job: &Job,
    stream: Stream,
    cursor: Option<u64>,
    max_bytes: u64,
) -> Result<Chunk, Error> {
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let script = Script::new(TAIL)
        .argument(job.job_id.as_str())
        .argument(job.run.to_string())
        .argument(match stream {
            Stream::Output => "agent.log",
            Stream::Errors => "agent.err",
        })
        .argument(cursor.map_or_else(|| "-".to_owned(), |cursor| cursor.to_string()))
        .argument(max_bytes.to_string());
    let reply = machine.run(context, script).await?;
    let unreadable = |stdout: &[u8]| Error::Script {
        host: machine.name.to_string(),
        step: "tail-log",
        status: reply.status,
        stdout: String::from_utf8_lossy(stdout).into_owned(),
        stderr: reply.stderr.clone(),
    };
    let line_end = reply
        .stdout
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| unreadable(&reply.stdout))?;
    let line = String::from_utf8_lossy(&reply.stdout[..line_end]).into_owned();
    let field = |name: &str| -> Option<u64> {
        line.split(' ')
            .find_map(|token| token.strip_prefix(name)?.strip_prefix('='))?
            .parse()
            .ok()
    };
    let (Some(size), Some(head)) = (field("size"), field("head")) else {
        return Err(unreadable(&reply.stdout));
    };
    let bytes = &reply.stdout[line_end + 1..];
    let head = usize::try_from(head).unwrap_or(usize::MAX).min(bytes.len());
    Ok(Chunk {
        size,
        from: cursor.unwrap_or(0),
        head: bytes[..head].to_vec(),
        tail: bytes[head..].to_vec(),
        exists: line.ends_with("exists=yes"),
    })
}
