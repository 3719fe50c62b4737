"""Everything that touches a machine, a server or a clock."""
