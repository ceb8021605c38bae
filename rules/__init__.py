"""Decisions: trigger rules, contact policy, arbitration, control groups. Pure: no clock, no chance, no I/O."""
