"""Screens under AppTest: everything but the browser."""
