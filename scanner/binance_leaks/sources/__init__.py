"""Read bytes with their provenance: from files, archives, streams and git."""
