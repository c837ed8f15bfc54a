run=${MONITOR_INVOCATION_ID:-$(systemctl show --property=InvocationID --value pipeline.service)};
subject="pipeline failed on $(uname -n)";
journalctl --sync;
report() { printf "In %s:\n\n" "$2"; journalctl -q --no-pager _SYSTEMD_INVOCATION_ID="$run" + INVOCATION_ID="$run"; };
letter() { printf "To: %s\nSubject: %s\nContent-Type: text/plain; charset=utf-8\n\n" "$1" "$subject"; report "$@"; };
if command -v sendmail >/dev/null; then letter "$@" | sendmail -i "$1"; else report "$@" | mail -s "$subject" "$1"; fi
