"""Before a start: the end of the append-only file mended, or the start refused.

core/aof/guard and adapters/local/guard, again; both pass one corpus.
"""

REFUSE = r"""
# refuse CODE WHAT WHY DO
refuse() {
  printf 'error[%s]: %s\nwhy: %s\ndo:  %s\n' "$1" "$2" "$3" "$4" >&2
  for status in $exit_statuses; do
    case $status in "${1%%.*}="*) exit "${status#*=}" ;; esac
  done
  exit 1
}

program() {
  command -v "valkey-$1" || command -v "redis-$1" ||
    refuse server.missing "no server to run was found" \
      "neither valkey-$1 nor redis-$1 is in this image" \
      "set engine.image to an image of Redis or Valkey, then sturdis apply"
}

know_server() {
  said=$("$server" --version)
  case $said in
    *'Redis server v='[0-9]*) product=redis ;;
    *'Valkey server v='[0-9]*) product=valkey ;;
    *)
      refuse server.unknown "$server is neither Redis nor Valkey" "--version says: $said" \
        "set engine.image to an image of Redis or Valkey, then sturdis apply"
      ;;
  esac
  version=${said#*server v=}
  version=${version%% *}
  minor=${version#*.}
  release=$((${version%%.*} * 1000 + ${minor%%.*}))
  [ "$release" -ge "$oldest_release" ] ||
    refuse server.too_old "$product $version is too old" \
      "before Redis 7.0 the append-only file was one file, mended otherwise" \
      "set engine.image to Redis 7.0 or newer, or any Valkey, then sturdis apply"
}
"""

GUARD = r"""
# Everything is looked at before anything is changed. Interrupted at any point and run again, it
# does the rest: bytes are kept and on the disk before they are cut.
guard() {
  if ! [ -d "$data" ] || ! [ -w "$data" ]; then
    refuse data.not_writable "the data folder $data cannot be written" \
      "it is missing, or of another user than $(id -u)" \
      "see that fsGroup is that of the image's user, and that the volume is mounted"
  fi
  know_server
  cut=
  if [ -e "$manifest" ]; then
    judge_files
  else
    refuse_other_forms
  fi
  remove_stale
  if [ -n "$cut" ]; then cut_off; fi
}

judge_files() {
  [ -s "$manifest" ] || refuse_manifest "line 1: the manifest is empty"
  files=$(read_manifest)
  case $files in
    *'! '*)
      problem=${files##*'! '}
      refuse_manifest "line ${problem%% *}: ${problem#* }"
      ;;
  esac
  set -f
  # shellcheck disable=SC2086 # a kind and a name each, neither with a blank in it
  set -- $files
  set +f
  base='' increments='' missing=''
  while [ $# -gt 0 ]; do
    case $1 in
      b) base=$2 ;;
      i) increments="$increments $2" ;;
    esac
    [ "$1" = h ] || [ -f "$parts/$2" ] || missing="$missing $2"
    shift 2
  done
  [ -z "$missing" ] ||
    refuse data.missing_file "$parts lacks what its manifest names" \
      "missing:$missing; no server loads the rest without it" \
      "put it back from a copy of the folder, or $repair: $offline"
  [ -z "$base" ] || refuse_base "$parts/$base"
  set -f
  # shellcheck disable=SC2086 # names without blanks
  set -- $increments
  set +f
  while [ $# -gt 0 ]; do
    judge_increment "$parts/$1" $#
    shift
  done
}

refuse_manifest() {
  refuse data.manifest "the manifest $manifest cannot be read" "$1" \
    "mend that line: 'file NAME seq NUMBER type b' for the base, 'type i' for each increment, in \
the order of their numbers: $offline"
}

# judge_increment FILE REMAINING: sets what is to be cut, or refuses. REMAINING is 1 for the last.
judge_increment() {
  file=$1
  size=$(stat -c %s "$file")
  good=0
  case $(head -c 1 "$file") in
    '*' | '#') ask_checker ;;
  esac
  [ "$good" -lt "$size" ] || return 0
  behind=$((size - good))
  found=$(tail -c "$behind" "$file" | tr '\000\001' '\001\002' | judge "$behind")
  # shellcheck disable=SC2086 # three words
  set -- "$2" $found
  tail=$2 odd=$((good + $4)) good=$((good + $3))
  case $tail in
    none) return 0 ;;
    nuls) means=$tail_nuls ;;
    open_transaction) means=$tail_open_transaction ;;
    torn_command) means=$tail_torn_command ;;
    *) uncuttable data.corrupt "no interrupted write explains what follows" ;;
  esac
  [ "$1" -eq 1 ] ||
    uncuttable data.torn_earlier "it ends with $means, and no server loads the files after it"
  [ $((size - good)) -le "$max_cut" ] ||
    uncuttable data.long_tail "more than $max_cut bytes are not cut unasked: $means"
  cut=$file
}

# Where the last whole unit ends, by the server's own checker; it never changes the file here. To it
# an annotation without its end is whole, and to servers too: they would append to it.
ask_checker() {
  said=$("$checker" "$file" 2>&1) || :
  good=${said##*ok_up_to=}
  good=${good%%,*}
  case $good in
    '' | *[!0-9]*) good=0 ;;
  esac
  [ "$good" -gt 0 ] || return 0
  start=$((good > annotation_bytes ? good - annotation_bytes : 0))
  torn=$(dd if="$file" bs=1 skip="$start" count="$((good - start))" 2>/dev/null |
    tr '\000' '\001' | awk -v size="$((good - start))" '
      { at += length($0) + 1 }
      END { print (at > size ? length($0) : 0) }')
  good=$((good - torn))
}

uncuttable() {
  follow=$((size - good))
  why=$2
  [ "$odd" -ge "$size" ] || why="$why; the first byte that does not fit is $odd"
  refuse "$1" "$file is whole up to byte $good, and $follow bytes follow" "$why" \
    "$repair shows what of it can be kept, and asks; or copy the folder and lose what follows with \
truncate -c -s $good '$file': $offline"
}

# What a rewrite or snapshot writes before it renames it: no server removes what another left.
# temp-appendonly.aof.incr stays: it can be the only copy of writes.
remove_stale() {
  for path in "$data"/temp-rewriteaof-*.aof "$data"/temp-*.rdb "$data"/temp-*.manifest \
    "$parts"/temp-rewriteaof-*.aof "$parts"/temp-*.rdb "$parts"/temp-*.manifest; do
    if [ -f "$path" ]; then
      rm -f "$path"
      echo "mended: removed $path, which no server uses any more"
    fi
  done
}

cut_off() {
  excess=$((size - good))
  keep_and_cut ||
    refuse data.not_writable "the data folder $data cannot be written" \
      "the end of $cut could not be kept in $beside and cut: see above" \
      "see that the volume has $excess bytes left, and whose it is"
  echo "mended: cut $excess bytes off $cut at byte $good: $means; they are kept in $kept"
}

keep_and_cut() {
  umask 077
  beside=$data/$cut_folder name=${cut##*/}.$good number=1
  mkdir -p "$beside" || return
  digest=$(tail -c "$excess" "$cut" | sha256sum)
  kept=$beside/$name
  while [ -e "$kept" ] && [ "$(sha256sum < "$kept")" != "$digest" ]; do
    number=$((number + 1))
    kept=$beside/$name-$number
  done
  if ! [ -e "$kept" ]; then # else kept by a run that was interrupted
    tail -c "$excess" "$cut" > "$beside/$name.new" || return
    on_disk "$beside/$name.new"
    [ "$(sha256sum < "$beside/$name.new")" = "$digest" ] || return
    mv -f "$beside/$name.new" "$kept" || return
    on_disk "$beside"
    on_disk "$data"
  fi
  truncate -s "$good" "$cut" || return
  on_disk "$cut"
}

# A sync that takes no name forces all there is.
on_disk() {
  sync "$1" 2>/dev/null || sync
}
"""

START = r"""
# A signal that comes meanwhile ends the start: to process 1 it does nothing by itself.
trap 'exit 143' TERM INT

server=$(program server)
checker=$(program check-aof)
if [ -n "$acl_file" ]; then (write_acl); fi
unset REDISCLI_AUTH STURDIS_PASSWORD EXPORTER_PASSWORD
(guard)
if [ -n "$acl_file" ]; then set -- --aclfile "$acl_file"; fi
exec "$server" "$conf" "$@"
"""
