"""Where counts and rates cluster, in space and time."""
