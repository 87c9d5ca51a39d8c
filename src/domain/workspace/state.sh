# Prints what there is of a workspace, and changes nothing. $1 repository. Prints the records
# root path=… / tool name=… / mirror url=… / done step=… marker=…, free text encoded.
folder=$LEGWORK_ROOT/repos/$1
seed=$folder/seed mirror=$LEGWORK_ROOT/mirrors/$1.git
prepare_git
printf 'root path=%s\n' "$(printf '%s' "$LEGWORK_ROOT" | encoded)"
if git --version >/dev/null 2>&1; then echo 'tool name=git'; fi
PATH=$PATH:${HOME:-/}/.cargo/bin
if command -v uv >/dev/null 2>&1; then echo 'tool name=uv'; fi
if command -v git-lfs >/dev/null 2>&1; then echo 'tool name=git-lfs'; fi
if [ -e "$mirror" ]; then
    printf 'mirror url=%s\n' "$(mirror_url "$mirror" | tr -d '\n' | encoded)"
fi
for step in clone resolve environment install setup prepare smoke; do
    if [ ! -f "$folder/steps/$step" ] || ! in_force "$step"; then continue; fi
    printf 'done step=%s marker=%s\n' "$step" "$(encoded <"$folder/steps/$step")"
done
