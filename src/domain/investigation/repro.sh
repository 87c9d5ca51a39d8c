# Finds the repro of a job.
#
# $1 the job's folder, below the folder of all jobs. Prints a record `missing` where that is gone, else `repro name=…`, with `-` where
# there is none.
r_job=$LEGWORK_ROOT/jobs/$1
[ -d "$r_job" ] || {
    printf 'missing\n'
    exit 0
}
for r_file in "$r_job/repro.py" "$r_job/repro.sh" "$r_job/repro.js"; do
    if [ -f "$r_file" ] && [ ! -L "$r_file" ]; then
        printf 'repro name=%s\n' "${r_file##*/}"
        exit 0
    fi
done
printf 'repro name=-\n'
