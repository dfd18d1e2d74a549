"""One module for each benchmark: ``run(options)`` yields lines; the module's name is the command's.

A module may have ``PEERS``, the dependency group of its peers; ``scripts/bench`` installs the
group into an environment of its own when ``--peers`` is given.
"""
