"""What is learned or counted about customers: tags, and River estimators that learn one event at a time."""
