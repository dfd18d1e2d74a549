"""The search for a partition: graphs of atoms, no geometry."""
