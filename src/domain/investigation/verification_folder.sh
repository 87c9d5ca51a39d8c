# Looks for the folder of the job that a verification is of: defines prepare_run for submit.sh, whose functions it uses.
prepare_run() {
    [ -d "${job%/verify/*}" ] || refuse job
}
