"""One program for each engine; every one counts the same records and says how long it took."""
