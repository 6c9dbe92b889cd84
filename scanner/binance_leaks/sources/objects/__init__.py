"""git's object database, read without git: packs, deltas, trees, commits."""
