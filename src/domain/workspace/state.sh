# Prints what there is of a workspace, and changes nothing. $1 repository, $2 environment (relative, or -). Prints the records
# root path=… / tool name=… / seed url=… / done step=… marker=…, free text encoded.
folder=$LEGWORK_ROOT/repos/$1 environment=$2
seed=$folder/seed
prepare_git
printf 'root path=%s\n' "$(printf '%s' "$LEGWORK_ROOT" | encoded)"
if git --version >/dev/null 2>&1; then echo 'tool name=git'; fi
PATH=$PATH:${HOME:-/}/.cargo/bin
if command -v uv >/dev/null 2>&1; then echo 'tool name=uv'; fi
if [ -e "$seed" ]; then
    printf 'seed url=%s\n' "$(quiet_git -C "$seed" config --local --get remote.origin.url 2>/dev/null | tr -d '\n' | encoded)"
fi
for step in clone resolve environment install setup smoke; do
    if [ ! -f "$folder/steps/$step" ] || ! in_force "$step"; then continue; fi
    printf 'done step=%s marker=%s\n' "$step" "$(encoded <"$folder/steps/$step")"
done
