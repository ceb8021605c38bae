"""The vocabulary: what happened, who the customer is, what we offer, what was decided, and how it is written down."""
