"""The shell: Kafka and Faust, clock, settings, the stage and the three functions that run on it."""
