"""Pictures: recognize them by their bytes, and read the codes, the metadata and the text in them in a child process."""
