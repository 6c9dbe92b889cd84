"""From a source to a result: one module for each thing that can be scanned, and one that judges what was found."""
