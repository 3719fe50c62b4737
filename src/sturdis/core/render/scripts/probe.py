"""The probe's text. Its head gives port, seconds and ready_replies."""

PROBE = r"""
# Exit status 0: alive, or ready. What was answered is printed, for `kubectl describe pod`.

LC_ALL=C
export LC_ALL
wanted=${1:-}
case $wanted in
  alive | ready) ;;
  *)
    echo 'usage: sh probe.sh alive|ready' >&2
    exit 2
    ;;
esac
cli=$(command -v redis-cli || command -v valkey-cli) || {
  echo 'neither redis-cli nor valkey-cli is in this image' >&2
  exit 1
}

# A server that hangs lets its client hang. The time ends before the kubelet's own, so that the
# reason is still told. The password is read from REDISCLI_AUTH by the client itself.
status=0
said=$(timeout "$seconds" "$cli" -h 127.0.0.1 -p "$port" ping 2>&1) || status=$?
printf '%s\n' "${said:-no reply within $seconds s}"
last=${said##*
}

for reply in $ready_replies; do
  case $last in
    "$reply" | "$reply "*) exit 0 ;;
  esac
done
[ "$wanted" = alive ] || exit 1

# Any answer is a sign of life. The client ends with 0 when it has one, whichever it is; a server
# that hangs up after refusing the password gave one too.
case $said in
  '') exit 1 ;;
  *'AUTH failed: '*) exit 0 ;;
esac
exit "$status"
"""
