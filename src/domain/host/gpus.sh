# Reports the GPUs of this machine, as nvidia-smi lists them, and what computes on them. report.sh comes first.
gpus() {
    if [ -d /sys/bus/pci/devices ]; then
        adapter=no
        for vendor in /sys/bus/pci/devices/*/vendor; do
            id='' class=''
            [ -r "$vendor" ] && IFS= read -r id <"$vendor"
            [ "$id" = 0x10de ] || continue
            IFS= read -r class <"${vendor%vendor}class"
            case $class in 0x03*) adapter=yes ;; esac
        done
        say gpu_adapter "$adapter"
    elif [ -d /sys/class ]; then
        say gpu_adapter no
    fi
    [ -e /proc/driver/nvidia/version ] && say gpu_module yes
    smi=$(command -v nvidia-smi 2>/dev/null)
    for candidate in /usr/lib/wsl/lib/nvidia-smi /usr/bin/nvidia-smi /usr/local/nvidia/bin/nvidia-smi; do
        [ -z "$smi" ] && [ -x "$candidate" ] && smi=$candidate
    done
    [ -n "$smi" ] || return
    say gpu_program "$smi"
    fields=index,uuid,name,memory.total,memory.used,memory.free,utilization.gpu,temperature.gpu,power.draw
    answer=$(limited 15 "$smi" --query-gpu=$fields,driver_version --format=csv,noheader,nounits 2>&1)
    status=$?
    case $answer in
    *'not a valid field'*)
        answer=$(limited 15 "$smi" --query-gpu=$fields --format=csv,noheader,nounits 2>&1)
        status=$?
        say gpu_short yes
        ;;
    esac
    printf '%s\n' "$answer" | lines gpu
    say gpu_status "$status"
    [ "$status" = 0 ] || return
    # Of a GPU that is cut up (MIG) the driver tells no utilization; its instances are listed nowhere else.
    case $answer in
    *'[N/A]'*)
        limited 15 "$smi" -L 2>/dev/null | while IFS= read -r line; do
            case $line in GPU\ * | *MIG-*) say gpu_list "$line" ;; esac
        done
        ;;
    esac
    answer=$(limited 15 "$smi" --query-compute-apps=gpu_uuid,pid,process_name,used_memory --format=csv,noheader,nounits 2>&1)
    status=$?
    printf '%s\n' "$answer" | lines gpu_process
    say gpu_process_status "$status"
    limited 15 "$smi" 2>/dev/null | while IFS= read -r line; do
        case $line in *CUDA*Version:*) say gpu_header "$line" ;; esac
    done
}
