"""Runs on a lead's screen: what to generate, and what was generated."""
