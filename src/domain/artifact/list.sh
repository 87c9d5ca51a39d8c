# Lists the files of a job with their digests, and names what else lies in its folder. Needs: with_plain.sh.
#
# $1 job id, $2 control folder of the run below the root, $3 bytes above which no digest is made. Prints one of the records `absent` and `lacks tool=…`, or
#   state line=…                                   the run's state line, encoded
#   file place=… kind=… bytes=… sha256=…|-         a file that is an artifact by its name
#   extra name=… kind=…                            anything else, its name encoded
#   extras count=…                                 how much else there is; the last record
LC_ALL=C
export LC_ALL
a_kind_of() {
    if [ -L "$1" ]; then
        a_kind="link"
    elif [ -f "$1" ]; then
        a_kind="file"
    elif [ -d "$1" ]; then
        a_kind=folder
    elif [ -p "$1" ]; then
        a_kind=pipe
    elif [ -S "$1" ]; then
        a_kind=socket
    elif [ -e "$1" ]; then
        a_kind=device
    else
        a_kind=none
    fi
}
a_measure() {
    a_bytes=$(wc -c </proc/self/fd/3) || return
    a_bytes=$((a_bytes + 0))
    [ "$a_bytes" -le "$a_cap" ] || return 0
    a_sum=$(sha256sum </proc/self/fd/3) && a_sum=${a_sum%% *}
}
# a_file PLACE FOLDER: lists the file of that name in a folder below the root.
a_file() {
    a_path=$2/${1#control/}
    a_kind_of "$real_root/$a_path"
    [ $a_kind = none ] && return 0
    a_bytes=0 a_sum=-
    if [ $a_kind = file ] && ! with_plain "$a_path" a_measure; then
        a_kind=unreadable a_bytes=0 a_sum=-
    fi
    printf 'file place=%s kind=%s bytes=%s sha256=%s\n' "$1" "$a_kind" "$a_bytes" "$a_sum"
}
a_state() { IFS= read -r a_state <&3; }
a_extra() {
    a_kind_of "$1"
    [ $a_kind = none ] && return 0
    a_extras=$((a_extras + 1))
    [ $a_extras -le 100 ] || return 0
    printf 'extra name=@%s kind=%s\n' "$(printf '%s' "$1" | base64 | tr -d '\n')" "$a_kind"
}
a_is_folder() {
    [ -d "$1" ] && [ ! -L "$1" ]
}
a_list() {
    a_cap=$3 a_extras=0
    for a_tool in sha256sum tar base64 tr wc head mktemp readlink; do
        command -v $a_tool >/dev/null 2>&1 || {
            printf 'lacks tool=%s\n' $a_tool
            return 0
        }
    done
    a_job=jobs/$1
    if ! real_root || ! a_is_folder "$real_root/$a_job"; then
        printf 'absent\n'
        return 0
    fi
    cd "$real_root/$a_job" || return 1
    if a_is_folder "$real_root/$2"; then
        a_state=
        with_plain "$2/state" a_state
        printf 'state line=@%s\n' "$(printf '%s' "$a_state" | base64 | tr -d '\n')"
        for a_name in changes.diff changes.err agent.log agent.err exit.json state; do
            a_file "control/$a_name" "$2"
        done
    fi
    for a_name in * .[!.]* ..?*; do
        case $a_name in
        report.md | pr_title.txt | worklog.md | fix.diff | issue.md | prompt.md) a_file "$a_name" "$a_job" ;;
        job.json) ;;
        work | env) a_is_folder "$a_name" || a_extra "$a_name" ;;
        env.log | env.lock | env.lock.owner) ;;
        repro.?*)
            a_ending=${a_name#repro.}
            case $a_ending in
            *[!A-Za-z0-9]*) a_extra "$a_name" ;;
            *) if [ ${#a_ending} -le 16 ]; then a_file "$a_name" "$a_job"; else a_extra "$a_name"; fi ;;
            esac
            ;;
        *) a_extra "$a_name" ;;
        esac
    done
    printf 'extras count=%s\n' $a_extras
}
a_list "$@"
