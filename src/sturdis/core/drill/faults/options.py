"""What a drill's file says of its fault: its kind, and the options of that kind."""

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """One kind of fault; its tag is the word in the file."""
