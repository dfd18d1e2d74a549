"""Mutation testing: small changes with meaning, one at a time, and whether a test notices."""
