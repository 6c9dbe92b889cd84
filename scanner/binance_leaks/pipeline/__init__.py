"""From a source to a result: a module for each kind of source, and triage."""
