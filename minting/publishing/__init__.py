"""Putting a drop's files where others keep them, and asking whether they are still there."""
