"""Baselines of known findings, in the format of detect-secrets."""
