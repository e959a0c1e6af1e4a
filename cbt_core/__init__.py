"""Concord: a study desk for expert evaluation of CBT-style answers, and the pipeline that feeds it."""
