"""Boltwatch watches news feeds and tells you, with the reason, when a rule matches."""

__version__ = "0.1.0"
