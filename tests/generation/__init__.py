"""Generation end to end: local models, failing hosts, killed runs."""
