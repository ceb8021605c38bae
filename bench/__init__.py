"""The benchmark: Kairos and its peers side by side on the local broker."""
