"""What could have swayed the scores: guesses of the system, side and length, missing work."""
