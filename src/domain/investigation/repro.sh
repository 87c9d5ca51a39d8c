# Finds the repro of a job.
#
# $1 the job's folder, below the folder of all jobs. Prints `legwork-repro NAME`, `legwork-repro -` where there is none, or
# `legwork-repro missing` where the job's folder is gone.
r_job=$LEGWORK_ROOT/jobs/$1
[ -d "$r_job" ] || {
    printf 'legwork-repro missing\n'
    exit 0
}
for r_file in "$r_job/repro.py" "$r_job/repro.sh" "$r_job/repro.js"; do
    if [ -f "$r_file" ] && [ ! -L "$r_file" ]; then
        printf 'legwork-repro %s\n' "${r_file##*/}"
        exit 0
    fi
done
printf 'legwork-repro -\n'
