"""Scan many repositories: list them, distribute the work, store the results, report them together.

Values stay with the worker that reads a repository. Only digests and masks are sent back, stored and reported.
"""
