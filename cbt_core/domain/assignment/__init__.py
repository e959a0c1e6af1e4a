"""Who rates what, in which order and on which side: pure, seeded, the same for the same input."""
