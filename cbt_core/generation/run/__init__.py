"""A run: thousands of requests to their rows, resumable, every reply safe on disk."""
