"""Text of the scripts that run in a pod: POSIX sh, as constants.

Each needs a head of assignments: `core/render/start_script` and `core/render/probe_script`.
"""
