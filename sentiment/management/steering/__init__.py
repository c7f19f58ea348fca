"""The loop played against a community with a hidden taste: ours, and others to compare it with."""
