"""The faults that a drill's file may name: their kinds and options. Adapters inject them."""

from sturdis.core.drill.faults.process import Kill

Fault = Kill  # | Stop | PowerCut …: one Struct for each kind, tagged with its word
