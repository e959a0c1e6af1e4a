"""Who rates what, and how many items and raters a study needs."""
