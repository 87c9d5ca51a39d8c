# plain_git ARGUMENTS...: git as every tree of a job is made, compared, verified and applied with.
# Needs: forget_git. Defines: plain_git plain_attributes.
#
# It reads no system, global or environment configuration, no attributes or ignores of a person, no replace refs, and runs no
# hook, monitor or prompt. The configuration of the repository it is pointed at is read: point it at one that is ours
# (`--git-dir=...`), never at one in which an agent writes. What a caller needs beside that goes behind, as `-c name=value`;
# $plain_index names another index file than the repository's own, and $plain_limit is what stands before git, to end it in time.

# plain_attributes: as `info/attributes` of a repository they switch every conversion off, whatever .gitattributes says. A
# file then has the same bytes on disk as in the repository.
plain_attributes='* -text -eol -filter -ident -working-tree-encoding'

plain_git() (
    forget_git
    unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_ASKPASS GIT_SSH GIT_SSH_COMMAND GIT_PROXY_COMMAND GIT_EDITOR \
        GIT_SEQUENCE_EDITOR GIT_EXEC_PATH GIT_REF_PARANOIA GIT_SKIP_HASH GIT_ALLOW_PROTOCOL GIT_PROTOCOL_FROM_USER
    HOME=/dev/null XDG_CONFIG_HOME=/dev/null LC_ALL=C
    GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
    GIT_NO_REPLACE_OBJECTS=1 GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_NO_LAZY_FETCH=1 GIT_PAGER=cat GIT_ADVICE=0
    export HOME XDG_CONFIG_HOME LC_ALL GIT_CONFIG_NOSYSTEM GIT_CONFIG_SYSTEM GIT_CONFIG_GLOBAL GIT_ATTR_NOSYSTEM
    export GIT_NO_REPLACE_OBJECTS GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT GIT_NO_LAZY_FETCH GIT_PAGER GIT_ADVICE
    if [ -n "${plain_index:-}" ]; then
        GIT_INDEX_FILE=$plain_index
        export GIT_INDEX_FILE
    fi
    # shellcheck disable=SC2086 # these are several words on purpose
    exec ${plain_limit:-} git -c core.attributesFile=/dev/null -c core.excludesFile=/dev/null -c core.hooksPath=/dev/null \
        -c core.fsmonitor=false -c core.untrackedCache=false -c core.autocrlf=false -c core.safecrlf=false \
        -c core.quotePath=true -c core.fsync=none -c gc.auto=0 -c maintenance.auto=false -c advice.detachedHead=false \
        -c protocol.allow=never -c submodule.recurse=false -c diff.ignoreSubmodules=dirty "$@"
)
