"""Tests of planning by simulation."""
