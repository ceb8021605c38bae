"""The people: command line, live view, demo, reports."""
