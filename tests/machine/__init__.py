"""Tests of the search of a developer's machine."""
