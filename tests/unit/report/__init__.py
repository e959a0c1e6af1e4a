"""Tests of what a report is written with."""
