"""What people want done: one function, one wish, one transaction, authorisation inside."""
