"""The edge: one module per outside system."""
