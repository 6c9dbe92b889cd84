"""The arguments of the commands, and the functions that carry these out."""
