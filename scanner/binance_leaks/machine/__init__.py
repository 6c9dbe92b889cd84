"""Where credentials are on a developer's machine: a table of locations, and the plan of a search made from it."""
