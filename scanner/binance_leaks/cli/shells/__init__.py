"""Completion for shells: a script each, made from the commands that the parser has."""
