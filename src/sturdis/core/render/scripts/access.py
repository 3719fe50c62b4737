"""The users' file, composed from the passwords in the environment."""

ACCESS = r"""
# A password is never an argument of a program, nor printed: printf is the shell's own.
add_user() {
  [ -n "$2" ] ||
    refuse access.no_password "the password of the user $1 is empty" \
      "a server with an empty password lets everyone in" \
      "give the Secret $secret a value for it, then delete the pod"
  digest=$(printf %s "$2" | sha256sum)
  printf 'user %s on #%s %s\n' "$1" "${digest%% *}" "$3" >> "$acl_file"
}
"""
