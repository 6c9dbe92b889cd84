"""Where bytes come from: files, archives, streams and git, each with its provenance."""
