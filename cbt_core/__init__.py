"""Concord: a study desk for expert evaluation of CBT-style answers, and what feeds it."""
