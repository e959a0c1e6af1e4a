"""Systems against one another: paired differences, preferences, flags; do conclusions stand?"""
