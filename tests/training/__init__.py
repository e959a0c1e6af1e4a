"""Tests of LoRA tuning."""
