"""What the folder holds: other forms of data, the manifest and its files, the base's format.

core/aof/manifest, core/aof/rdb and core/servers, again.
"""

FOLDER = r"""
# The kind and name of each file that the manifest names, or `!`, a line's number, and a problem.
read_manifest() {
  length=$(stat -c %s "$manifest")
  tr '\000\t\r' '\001  ' < "$manifest" | awk -v size="$length" '
    function bad(problem) {
      print "!", NR, problem
      exit
    }
    { at += length($0) + 1 }
    length($0) <= 1023 && /^#/ { next }
    length($0) > 1023 || at > size || index($0, "\001") {
      bad("it is longer than 1024 bytes, cut off, or holds a zero byte")
    }
    /["\047]/ { bad("it holds quotes: this script reads plain names alone") }
    NF < 6 || NF % 2 { bad("it is not pairs of a key and a value, with file, seq and type") }
    {
      name = sequence = type = ""
      for (i = 1; i < NF; i += 2) {
        key = tolower($i)
        if (key == "file") name = $(i + 1)
        if (key == "seq") sequence = $(i + 1)
        if (key == "type") type = $(i + 1)
      }
      if (name == "" || sequence == "" || type == "") bad("file, seq or type is missing")
      if (name ~ /[\/\\]/) bad("the name of the file is a path")
      if (!match(sequence, /^[+-]?[0-9]+/)) bad("seq is not a number other than 0")
      number = substr(sequence, 1, RLENGTH) + 0
      if (!number) bad("seq is not a number other than 0")
      kind = substr(type, 1, 1)
      if (kind !~ /[bih]/) bad("type is none of b, h and i")
      if (kind == "b" && bases++) bad("it names a second base")
      if (kind == "i" && number <= last) bad("the sequence of the increments falls")
      if (kind == "i") last = number
      print kind, name
    }'
}

# Without a manifest a server starts empty: right where no server has written yet, and only there.
refuse_other_forms() {
  if [ -e "$data/$single_file" ]; then
    refuse data.single_file "$data holds an append-only file of Redis before 7.0" \
      "$single_file is one file; since 7.0 it is several, led by a manifest" \
      "on a copy: redis-server --dir COPY --appendonly yes (it converts the file; end it with \
SHUTDOWN), then put its appendonlydir into the volume: $offline"
  fi
  if [ -e "$data/$snapshot" ]; then
    refuse data.rdb_only "$data holds a snapshot and no append-only file" \
      "with appendonly yes a server does not load $snapshot: it would start empty" \
      "on a copy: redis-server --dir COPY; CONFIG SET appendonly yes, wait until INFO says \
aof_rewrite_in_progress:0, SHUTDOWN, then put its appendonlydir into the volume: $offline"
  fi
  for path in "$parts"/* "$parts"/.[!.]*; do
    case ${path##*/} in temp-*) continue ;; esac
    [ -e "$path" ] || continue
    is_unfinished_start "$path" ||
      refuse data.manifest "$parts holds an append-only file without its manifest" \
        "${manifest##*/} is missing beside ${path##*/}: a server would start empty and write into \
it" "put it back, or $repair; or move these files away to start empty: $offline"
  done
}

# A first start that was interrupted leaves an empty file, or an RDB with nothing in it.
is_unfinished_start() {
  [ -f "$1" ] || return 1
  [ -s "$1" ] || return 0
  od -A n -v -t u1 -N "$head_bytes" "$1" | awk -v format="$(format_of "$1")" '
    function string(at) {
      if (byte[at] == 192 || byte[at] == 193) return at + byte[at] - 190
      if (byte[at] == 194) return at + 5
      return at < count && byte[at] < 64 ? at + 1 + byte[at] : count
    }
    { for (i = 1; i <= NF; i++) byte[count++] = $i }
    END {
      at = format == "" ? count : 9
      while (at < count && byte[at] == 250) at = string(string(at + 1))
      exit !(at < count && byte[at] == 255)
    }'
}

# The first bytes of an RDB, as REDIS0012 or VALKEY080; nothing for what is none.
format_of() {
  format=$(head -c 9 "$1" | tr '\000\n' '\001\001')
  case $format in
    REDIS[0-9][0-9][0-9][0-9] | VALKEY[0-9][0-9][0-9]) printf '%s\n' "$format" ;;
  esac
}

refuse_base() {
  format=$(format_of "$1")
  case $format:$1 in
    :*.rdb)
      refuse data.corrupt "the base $1 is damaged" \
        "it does not begin as an RDB does; emptied, it would load as if it held nothing" \
        "put it back from a copy of the folder, or $repair: $offline"
      ;;
    :*) return ;;
    VALKEY*) writer=valkey number=${format#VALKEY} ;;
    *) writer=redis number=${format#REDIS} ;;
  esac
  reads "$writer" "$number" ||
    refuse data.newer_server "$product $version cannot read the append-only file in $parts" \
      "its base is of the format $format, which a newer or other server wrote" \
      "set engine.image to the $writer that wrote it or a newer one, then sturdis apply"
}

# Whether the server reads an RDB: by its magic and number, and the table of releases.
reads() {
  newest=0 last=0
  # shellcheck disable=SC2086 # a table of words
  set -- "$1" "$2" $rdb_of_releases
  magic=$1 number=$2
  shift 2
  while [ $# -gt 0 ]; do
    if [ "$1" = "$product" ]; then
      last=$2
      if [ "$release" -ge "$2" ] && [ "$3" -gt "$newest" ]; then newest=$3; fi
    fi
    shift 3
  done
  if [ "$product" = redis ]; then
    [ "$magic" = redis ] || return 1
    [ "$release" -le "$last" ] || return 0
  elif [ "$magic" = valkey ]; then
    [ "$release" -le "$last" ] || return 0
  elif [ "$newest" -gt "$newest_shared_rdb" ]; then
    newest=$newest_shared_rdb
  fi
  [ "$number" -le "$newest" ]
}
"""
