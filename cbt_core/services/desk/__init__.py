"""The desk of raters and annotators: the way in, tasks saved or skipped, own work."""
