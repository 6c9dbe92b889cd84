"""Tests of verification, against the played exchange."""
