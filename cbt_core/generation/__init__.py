"""Prompts, backends and the resumable runner that turn questions into answers."""
