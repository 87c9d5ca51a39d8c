# git_settings: what wins over the settings of a repository and of its user: no hooks, nothing that goes on in the background.
# One setting a line: calls of git from this program are given the same ones.
git_settings='
core.hooksPath=/dev/null
core.fsmonitor=false
gc.auto=0
maintenance.auto=false
advice.detachedHead=false
'
