"""Access: signing in and out, secrets, and the price of wrong ones."""
