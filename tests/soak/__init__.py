"""The soak: random events and random harm for as long as one likes, then two judges. `make soak MINUTES=20 SEED=7`."""
