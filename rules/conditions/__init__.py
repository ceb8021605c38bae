"""Conditions on the past: one module for each kind, one class with all that the kind is."""
