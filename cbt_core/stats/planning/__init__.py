"""Planning a study by simulation: power, width of intervals, and what a pilot says."""
