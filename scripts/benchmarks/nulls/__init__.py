"""What is found where nothing is to be found: one module for each kind of finding.

Every module here has ``run(options)``, which yields lines; ``scripts/bench null`` prints them all.
A module whose name begins with an underscore is not run.
"""
