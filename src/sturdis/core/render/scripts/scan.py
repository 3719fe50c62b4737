"""What stands behind the end that the checker calls good, judged in awk: core/aof/scan, again.

The checker says where the last whole unit ends, at its own speed, and not why the rest is none: a
torn end and a damaged byte look alike to it. So the rest, mostly nothing, is read byte by byte.
"""

JUDGE = r"""
# judge SIZE: reads bytes, the zero bytes as 1 and the bytes 1 as 2, and prints what they are, how
# many of them are whole units, and where the first byte stands that does not fit.
judge() {
  awk -v size="$1" '
    function fits(sign, most,    rest, digits) {  # bytes of the line in `*COUNT CR`, `$LENGTH CR`
      if (substr($0, 1, 1) != sign) return 0
      rest = substr($0, 2, most + 1)
      if (match(rest, /^[1-9][0-9]*/)) digits = RLENGTH > most ? most : RLENGTH
      else if (sign == "$" && substr(rest, 1, 1) == "0") digits = 1
      else return 1
      number = substr(rest, 1, digits) + 0
      return 1 + digits + (substr($0, digits + 2, 1) == "\r")
    }
    function is_line(sign, most,    fit) {
      fit = fits(sign, most)
      if (fit == length($0) && ended && substr($0, fit, 1) == "\r") return 1
      if (fit < length($0) || ended) misfit(fit)
      return 0
    }
    function misfit(here) {
      fault = at + here
      only_nuls = 1
      still_nuls(here)
    }
    function still_nuls(here) {
      if (ended || substr($0, here + 1) !~ "^\001*$") only_nuls = 0
      if (!only_nuls) exit
    }
    function annotation(    zero) {
      zero = index($0, "\001")
      if (!zero || zero > 1023) zero = 1023  # servers read 1023 bytes of a line, its end included
      if (length($0) >= zero || !ended) {
        if (length($0) >= zero) misfit(zero - 1)
        return
      }
      if (open && stamped < 0) stamped = at
      whole()
    }
    function whole() {
      if (!open) safe = at + length($0) + 1
    }
    function looks_like_a_command() {  # how one begins behind another: CRLF, then these two lines
      if (star >= 0 && ended && /^\$[0-9]+\r$/ && length($0) <= 21 && inside < 0) inside = star
      star = -1
      if (after_crlf && ended && /^\*[1-9][0-9]*\r$/ && length($0) <= 12) star = at
      after_crlf = ended && /\r$/
    }
    function argument(    here) {
      looks_like_a_command()
      if (length($0) + ended <= need) {
        need -= length($0) + ended
        return
      }
      here = need
      if (first && here == number && here <= 5) name = toupper(substr($0, 1, here))
      if (here < length($0) && substr($0, here + 1, 1) == "\r") here++
      else if (here < length($0) || ended) return misfit(here)
      if (here < length($0)) return misfit(here)
      if (!ended) return
      in_argument = first = 0
      inside = star = -1
      if (!--missing) command()
    }
    function command() {
      if (name == "MULTI" || name == "EXEC") {
        if (open == (name == "MULTI")) {
          fault = begun
          only_nuls = 0
          exit
        }
        open = !open
        stamped = -1
      }
      whole()
    }
    BEGIN {
      at = open = safe = 0
      fault = stamped = inside = star = -1
    }
    {
      ended = at + length($0) < size
      if (fault >= 0) still_nuls(0)
      else if (in_argument) argument()
      else if (missing) {
        if (is_line("$", 19)) {
          need = number
          in_argument = after_crlf = 1
        }
      }
      else if (substr($0, 1, 1) == "#") annotation()
      else if (is_line("*", 10)) {
        missing = number
        begun = at
        first = 1
        name = ""
      }
      at += length($0) + ended
    }
    END {
      odd = fault < 0 ? size : fault
      if (stamped >= 0) { kind = "corrupt"; odd = stamped }
      else if (fault >= 0) kind = only_nuls ? "nuls" : "corrupt"
      else if (missing && inside >= 0) { kind = "corrupt"; odd = inside }
      else if (safe == size) kind = "none"
      else kind = open ? "open_transaction" : "torn_command"
      printf "%s %.0f %.0f\n", kind, safe, odd
    }'
}
"""
