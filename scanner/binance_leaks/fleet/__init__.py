"""Many repositories: listed, scanned wherever there are workers, remembered in one store, reported as a whole.

Values stay with the worker that reads a repository: what comes back, is stored and is reported are digests and masks.
"""
