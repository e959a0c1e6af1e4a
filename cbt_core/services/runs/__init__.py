"""Runs of the pipeline: started, watched, noted, and what they brought taken into studies."""
