"""What a lead may see of a study's results, and the rows that exports and reports read."""
