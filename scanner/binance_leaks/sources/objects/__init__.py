"""git's object database, read without git where that is faster: packs, deltas, trees, commits."""
