# Runs the command of an attempt on this machine, and outlives the worker that started it.
#
# $1 folder of the run, $2 folder to work in or nothing, $3 yes where it must first be told which GPUs it has, then the command.
#
# The file `leader` says who runs the command. It is made once, before the command is started: whoever finds it there does nothing,
# so that an attempt is started once however often it is tried. The file `exit` is the one evidence of the end: the exit status as
# a shell gives it, or a word. Both are written by what the shell itself can do; a process for each would double what a short
# task costs.
t_run=$1 t_cwd=$2 t_gpus=$3
shift 3
# Caught, not ignored: the command has the signals as they were, and its end is still written down.
trap : HUP INT TERM
IFS= read -r t_stat </proc/self/stat
IFS= read -r t_boot </proc/sys/kernel/random/boot_id
set -C
printf '%s\n%s\n' "$t_stat" "$t_boot" 2>/dev/null >"$t_run/leader" || exit 0
set +C
t_end=
if [ "$t_gpus" = yes ]; then
    # Where the worker is gone before it could say, nothing was started.
    IFS= read -r CUDA_VISIBLE_DEVICES || t_end=not_started
    export CUDA_VISIBLE_DEVICES
fi
if [ -z "$t_end" ] && [ -n "$t_cwd" ]; then cd "$t_cwd" || t_end=cwd_missing; fi
if [ -z "$t_end" ]; then
    # The program of that name, never what the shell itself has under it.
    (exec "$@") </dev/null
    t_end=$?
fi
t_try=0
until printf '%s\n' "$t_end" 2>/dev/null >"$t_run/exit" || [ "$t_try" -ge 60 ]; do
    t_try=$((t_try + 1))
    sleep 1
done
