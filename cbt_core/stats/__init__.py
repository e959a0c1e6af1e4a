"""Numbers from ratings: agreement, comparison, blinding indices, power."""
