#!/usr/bin/env bash
# Measures legwork beside named peers in one run and prints the table.
#
# Ratios within one run are what counts; absolute times are those of this machine at this moment. The peer comes from
# its registry into a virtual environment below target/. Servers listen on 127.0.0.0/8 and end with the script.
set -euo pipefail
cd "$(dirname "$0")/../.."
export DEBIAN_FRONTEND=noninteractive
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if ! [ -x /usr/sbin/sshd ] || ! [ -x /usr/bin/time ] || ! command -v ssh >/dev/null || ! command -v python3 >/dev/null || ! command -v npm >/dev/null; then
    as_root apt-get update -qq
    as_root apt-get install -y -qq openssh-server openssh-client time python3 python3-venv nodejs npm >/dev/null
fi
cargo build --release --quiet
peer=target/testbed/hpc-agent-0.11.4
if ! [ -x "$peer/bin/hpc-agent" ]; then
    python3 -m venv "$peer"
    "$peer/bin/pip" install --quiet 'hpc-agent==0.11.4'
fi
# What counts tokens as a model of the Claude family does.
tokenizer=target/testbed/tokenizer-0.0.4
[ -d "$tokenizer" ] || npm install --silent --prefix "$tokenizer" '@anthropic-ai/tokenizer@0.0.4'
# What an environment is made of, and by.
uv=target/testbed/uv-bench
if ! [ -x "$uv/bin/uv" ]; then
    python3 -m venv "$uv"
    "$uv/bin/pip" install --quiet 'uv==0.13.8'
fi
[ -d target/testbed/wheels-bench ] || "$uv/bin/pip" download --quiet --only-binary :all: --dest target/testbed/wheels-bench pytest setuptools wheel
# Interrupting calls by the hundred takes about a quarter of an hour; QUICK=10 does a tenth of it.
python3 tests/bench/interruptions.py target/release/legwork "${QUICK:-1}"
python3 tests/bench/verification.py target/release/legwork
python3 tests/bench/careless.py target/release/legwork
python3 tests/bench/queue.py target/release/legwork
python3 tests/bench/workers.py target/release/legwork
python3 tests/bench/environments.py target/release/legwork "$uv/bin" target/testbed/wheels-bench
exec python3 tests/bench/bench.py target/release/legwork "$peer/bin/hpc-agent" "$tokenizer"
